/**
 * Shows a file name for people: valid UTF-8 as it is, every other byte and every control
 * character as `\xNN`. Names on a card are bytes, not strings, and may be hostile to a terminal.
 */
export function printable(name: Uint8Array): string {
  let shown = "";
  for (const character of new TextDecoder("utf-8").decode(name)) {
    if (character === "\uFFFD") return bytewise(name);
    shown += isPlain(character) ? character : escaped(Buffer.from(character));
  }
  return shown;
}

function isPlain(character: string): boolean {
  return character !== "\\" && !/[\p{C}\p{Zl}\p{Zp}]/u.test(character);
}

function bytewise(name: Uint8Array): string {
  let shown = "";
  for (const byte of name) {
    const character = String.fromCharCode(byte);
    shown += byte < 0x80 && isPlain(character) ? character : escaped([byte]);
  }
  return shown;
}

function escaped(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** A text for people, lines kept: what could steer a terminal, or turn a line round, as `\xNN`. */
export function printableText(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" ? character : escaped(Buffer.from(character)),
  );
}

/** JSON of one line with the same value, and nothing in it that could steer a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
