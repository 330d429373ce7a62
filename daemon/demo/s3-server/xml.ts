import { malformed } from "./refusal.ts";

/** An element as S3 answers it: text that is already escaped. */
export interface Xml {
  readonly xml: string;
}

/** An element as a client sent it. */
export interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

type Content = string | number | boolean | Xml | readonly Xml[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** One element; text is escaped, what is undefined leaves nothing. */
export function el(name: string, ...content: readonly Content[]): Xml {
  return { xml: `<${name}>${content.map(shown).join("")}</${name}>` };
}

/** A whole answer in S3's namespace. */
export function documentOf(name: string, ...content: readonly Content[]): string {
  const space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  const inside = content.map(shown).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${space}>${inside}</${name}>`;
}

/** Reads what a client sent into its outermost element. @throws Refusal MalformedXML. */
export function parseXml(text: string): Element {
  const root = { name: "", text: "", children: new Array<Element>() };
  const open = [root];
  for (const [token] of text.matchAll(/<[^>]*>|[^<]+/g)) {
    const inside = open.at(-1);
    if (inside === undefined) throw malformed();
    if (!token.startsWith("<")) inside.text += plain(token);
    else if (token.startsWith("</")) {
      if (open.pop()?.name !== token.slice(2, -1).trim()) throw malformed();
    } else if (!token.startsWith("<?") && !token.startsWith("<!")) {
      const name = /^<([^\s/>]+)/.exec(token)?.[1] ?? "";
      const element = { name, text: "", children: new Array<Element>() };
      inside.children.push(element);
      if (!token.endsWith("/>")) open.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (only === undefined || others.length > 0 || open.length > 1) throw malformed();
  return only;
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

export function childrenOf(element: Element, name: string): readonly Element[] {
  return element.children.filter((child) => child.name === name);
}

export function textOf(element: Element | undefined, name: string): string | undefined {
  return childOf(element, name)?.text;
}

function shown(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "object")
    return "xml" in content ? content.xml : content.map(shown).join("");
  // Anything below a space is no character of XML 1.0 unless it is written as a number, and lost then too.
  return String(content).replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);
}

function plain(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, word) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(String(hex), 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return Object.entries(ESCAPES).find(([, name]) => name === `&${String(word)};`)?.[0] ?? whole;
  });
}
