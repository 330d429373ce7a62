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
