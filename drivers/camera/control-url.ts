import { BewaardError } from "#base/errors";

/**
 * The address under which a camera wants something asked: `control` of its description, from `base` on.
 * It only ever goes over the connection that is there; one that names another host is refused all the same,
 * because it is the mark of a redirection.
 * @throws BewaardError CAMERA_REFUSED for another host, a login in it, or what is no RTSP address.
 */
export function controlUrl(base: string, control: string | undefined): string {
  if (control === undefined || control === "*") return base;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(control)) return sameHost(base, control);
  // Put behind as ffmpeg does it, also behind a query: cameras expect that, not RFC 3986.
  return sameHost(base, `${base}${base.endsWith("/") ? "" : "/"}${control}`);
}

/** `url` itself, after a check that it asks the host of `base`. @throws BewaardError CAMERA_REFUSED */
export function sameHost(base: string, url: string): string {
  const parsed = /^[!-~]{1,2048}$/.test(url) ? URL.parse(url) : null;
  if (parsed === null || !/^rtsps?:$/.test(parsed.protocol)) throw refused("no address of RTSP");
  if (parsed.username !== "" || parsed.password !== "") throw refused("a login in an address");
  // Not normalised by URL for schemes it does not know.
  if (parsed.hostname.toLowerCase() !== new URL(base).hostname.toLowerCase())
    throw refused("another host");
  return url;
}

function refused(what: string): BewaardError {
  return new BewaardError("CAMERA_REFUSED", `it names ${what} to ask`);
}
