/** Units that each tenant has for itself, as instances of a template: `bewaard-record@bibliotheek.service`. */
export const TENANT_UNITS = ["bewaard.service", "bewaard-dock.service", "bewaard-record.service"];

/** The name of the template of a unit. */
export function templateName(unit: string): string {
  return unit.replace(/\.service$/, "@.service");
}

/** Where things are of a tenant, whose name is `%i`. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/\/etc\/bewaard\/bewaard\.yaml/g, "/etc/bewaard/%i.yaml"],
  [/\/etc\/bewaard\/credentials\//g, "/etc/bewaard/%i/credentials/"],
  [/\/(var\/cache|srv|mnt)\/bewaard(?=[ /]|$)/g, "/$1/bewaard-%i"],
];
/** And whose they are. */
const OWN: readonly (readonly [RegExp, string])[] = [
  [/^(Description=.*)$/, "$1 (%i)"],
  [/^(User|Group|StateDirectory|CacheDirectory)=bewaard$/, "$1=bewaard-%i"],
  [/^(SyslogIdentifier=.*)$/, "$1@%i"],
];

/**
 * Helpers behind a socket answer the user of the box alone: a tenant's parts start their own. Its core answers its
 * producers beside its control socket, and its recorder has no folder of its own.
 */
const SHARED =
  /^(?:Environment=BEWAARD_(?:FFPROBE|FFMPEG|KNOWN|ROOM)=|ReadWritePaths=(?:\/run\/bewaard\/|-\/var\/lib\/bewaard-record$))/;
const NEEDS = /^(?:After|Wants|Requires|Upholds|PartOf|Sockets)=/;
const SOCKET = /^bewaard-[a-z]+\.socket$/;

const HIDDEN = `# What the root helper mounts and writes there is of the box that is no tenant's.
TemporaryFileSystem=/run/bewaard:ro
`;

/** A unit, or a drop-in of one, as a template for tenants: the same but for whose it is. */
export function tenantTemplate(text: string): string {
  const template: string[] = [];
  for (const line of text.split("\n")) {
    const there = replaced(line, PLACES);
    if (line.startsWith("#")) template.push(there);
    else if (!SHARED.test(line) && !NEEDS.test(line)) template.push(replaced(there, OWN));
    else {
      const kept = SHARED.test(line) ? [] : withoutSockets(line);
      // What is said above it is about it.
      if (kept.length === 0) while (template.at(-1)?.startsWith("#")) template.pop();
      template.push(...kept);
    }
  }
  return template.join("\n").replace("\n[Install]\n", `${HIDDEN}\n[Install]\n`);
}

function withoutSockets(line: string): readonly string[] {
  const [key = "", ...needed] = line.split(/=| /);
  const others = needed.filter((name) => !SOCKET.test(name));
  return others.length === 0 ? [] : [`${key}=${others.join(" ")}`];
}

function replaced(line: string, all: typeof PLACES): string {
  return all.reduce((one, [from, to]) => one.replace(from, to), line);
}
