// Some cameras take a login in the address of their stream, in many ways; and give it so, over ONVIF. Such an
// address is shown to people, and stands in the ledger.

const KEYS = [
  "user(?:name)?|usr|loginuse|pwd|psw|pw",
  // loginpas, passwd, password_hash; not bypass, compass, passive or passthrough.
  "(?<!by|com)pas(?!sive|sthr)[a-z0-9_-]{0,20}",
  "(?<![a-z])(?:basic|http|o)?auth(?:orization|entication)?",
  // ONVIF has profile tokens, which are no secret.
  "(?<![a-z])(?:(?:access|auth|session)[_-]?)?token",
  "(?<![a-z])(?:cred(?:ential)?s?|secret)",
].join("|");
/** A key of a login, and its value: what comes behind it may still be of it. */
const IN_PATH = new RegExp(`((?:${KEYS})=)(?!…)[^&/]+`, "gi");
/** Base64 has slashes in it. */
const IN_QUERY = new RegExp(`((?:${KEYS})=)(?!…)[^&]+`, "gi");
const HIDDEN = "…";

/** Whether `address` has the key of a login in it, such as `password=`, as it is or percent-encoded. */
export function namesLogin(address: string): boolean {
  const keys = new RegExp(`(?:${KEYS})=(?!${HIDDEN})`, "i");
  return keys.test(address) || keys.test(decoded(address));
}

/**
 * `url` without its login: neither in front of its host, nor behind such a key, nor, where `login` is known,
 * its password anywhere, as it is or in base64. Where the rest cannot be told from it, the rest is left out.
 */
export function withoutLogin(
  url: URL,
  login: { readonly user: string; readonly password: string } | undefined,
): string {
  const [path = "", ...query] = `${url.pathname}${url.search}`.split("?");
  const behind = [
    path.replace(IN_PATH, `$1${HIDDEN}`),
    ...query.map((part) => part.replace(IN_QUERY, `$1${HIDDEN}`)),
  ].join("?");
  const secrets = login === undefined ? [] : formsOf(login);
  const shown = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), encodeURI(secret)])
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, HIDDEN), behind);
  const left = decoded(shown);
  const isClean = !namesLogin(shown) && !secrets.some((secret) => left.includes(secret));
  return `${url.protocol}//${url.host}${isClean ? shown : `/${HIDDEN}`}`;
}

function formsOf({ user, password }: { user: string; password: string }): readonly string[] {
  if (password === "") return [];
  return [
    password,
    ...[`${user}:${password}`, password].flatMap((text) =>
      (["base64", "base64url"] as const).map((encoding) =>
        Buffer.from(text).toString(encoding).replace(/=+$/, ""),
      ),
    ),
  ];
}

/** Each percent-encoded byte as it is, whatever else there is. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
