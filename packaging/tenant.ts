/** Units that each tenant has for itself, as instances of a template: `bewaard-record@bibliotheek.service`. */
export const TENANT_UNITS = [
  "bewaard.service",
  "bewaard-dock.service",
  "bewaard-record.service",
  "bewaard-gate.socket",
  // Each film is one of the same bewaard-ffprobe@.service as a film of the box: it has no network, and so nothing to join.
  "bewaard-ffprobe.socket",
  "bewaard-metrics.socket",
  "bewaard-metrics.service",
];

/**
 * And those that no template can be for: an ffmpeg, itself an instance, joins the network of its tenant's gate, so who that is
 * must be in the name of its own template, `bewaard-ffmpeg-bibliotheek@.service`. systemd/tenants.sh puts these files
 * under the names of each tenant; here is what they are called until then.
 */
export const TENANT_FILES: Readonly<Record<string, string>> = {
  "bewaard-ffmpeg.socket": "bewaard-ffmpeg-tenant.socket",
  "bewaard-ffmpeg@.service": "bewaard-ffmpeg-tenant@.service",
  "system-bewaard-ffmpeg.slice": "system-bewaard-tenant.slice",
};

/** The name of the template of a unit. */
export function templateName(unit: string): string {
  return unit.replace(/(?=\.(?:service|socket)$)/, "@");
}

type Changes = readonly (readonly [RegExp, string])[];

/** Where things are of a tenant, who is `%i` here, for most units are templates: its dock's have `-dock` behind that. */
const PLACES: Changes = [
  [/\/etc\/bewaard\/bewaard\.yaml/g, "/etc/bewaard/%i.yaml"],
  [/\/etc\/bewaard\/credentials\//g, "/etc/bewaard/%i/credentials/"],
  [/\/(var\/cache|var\/lib|srv|mnt)\/bewaard(?=[-/ ]|$)/g, "/$1/bewaard-%i"],
  [/\/run\/bewaard(?=\/(?:dock|record|ff[a-z]+\.sock)\b)/g, "/run/bewaard-%i"],
];
/** And whose they are. */
const OWN: Changes = [
  [/^(Description=.*)$/, "$1 (%i)"],
  [
    /^(User|Group|SupplementaryGroups|SocketUser|SocketGroup|StateDirectory|CacheDirectory)=bewaard(?=-|$)/,
    "$1=bewaard-%i",
  ],
  [/^(SyslogIdentifier=.*)$/, "$1@%i"],
];
/** Lines that name other units, which are this tenant's then. */
const NEEDS =
  /^(?:After|Wants|Requires|Requisite|Upholds|PartOf|ReloadPropagatedFrom|JoinsNamespaceOf|Sockets|Service|Slice)=/;
const NEEDED: Changes = [
  [/\bsystem-bewaard-ffmpeg\.slice$/, "system-bewaard-tenant-%i.slice"],
  [/\bbewaard-ffmpeg(?=\.socket\b)/g, "bewaard-ffmpeg-%i"],
  [/\b(bewaard(?:-(?:ffprobe|gate|metrics|record))?)(?=\.(?:service|socket)\b)/g, "$1@%i"],
];

/** What a box has at a port, which each tenant would have to have another of. */
const PORT = "ListenStream=127.0.0.1:9464";
const NO_PORT = `# A port besides: a drop-in (operations.md, "Metrics"). Here is heard whoever may tell this tenant's core what to do.
ListenStream=/run/bewaard-%i/metrics.sock
SocketGroup=bewaard-%i
SocketMode=0660`;

const HIDDEN = `# What the root helper mounts and writes there is of the box that is no tenant's.
TemporaryFileSystem=/run/bewaard:ro
`;

/**
 * A unit, or a drop-in of one, as a template for tenants: the same but for whose it is. `who` is what systemd puts the tenant in
 * the place of: the instance, or in TENANT_FILES the end of the name before that.
 */
export function tenantTemplate(text: string, who: "%i" | "%j" = "%i"): string {
  const template: string[] = [];
  for (const line of text.split("\n")) {
    const there = replaced(line, PLACES, who);
    if (line === PORT) {
      // What is said above it is about it.
      while (template.at(-1)?.startsWith("#")) template.pop();
      template.push(NO_PORT);
    } else if (line.startsWith("#")) template.push(there);
    else template.push(replaced(there, NEEDS.test(line) ? NEEDED : OWN, who));
  }
  const own = template.join("\n");
  if (!text.includes("\n[Service]\n")) return own;
  return own.replace("\n[Install]\n", `${HIDDEN}\n[Install]\n`);
}

function replaced(line: string, all: Changes, who: string): string {
  return all.reduce((one, [from, to]) => one.replace(from, to.replace("%i", who)), line);
}
