/** An answer of S3 that is no success: what the client reads as `Code`, with its HTTP status. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message = code,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function denied(why = "Access Denied"): Refusal {
  return new Refusal(403, "AccessDenied", why);
}

export function malformed(): Refusal {
  return new Refusal(400, "MalformedXML", "The XML you provided was not well-formed.");
}
