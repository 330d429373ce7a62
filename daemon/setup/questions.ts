/** Something that a new box must know, which stands in its configuration afterwards. */
export interface Question {
  /** In a file of answers; as an option of `bewaard setup` with hyphens. */
  readonly key: string;
  /** Where the answer stands in the configuration; nowhere for one that only says what is asked next. */
  readonly path: readonly string[];
  readonly nl: string;
  readonly en: string;
  /** Taken where nothing else is said. */
  readonly usual?: string;
  /** May stay unanswered. */
  readonly optional?: true;
  readonly choices?: readonly string[];
  /** Asked where the answers so far want it. */
  readonly when?: (answers: Answers) => boolean;
}

/** By key of the question. What was not answered is not there. */
export type Answers = Readonly<Record<string, string>>;

const directory = (answers: Answers) => answers["vault"] !== "s3";
const bucket = (answers: Answers) => answers["vault"] === "s3";
const own = (answers: Answers) => bucket(answers) && answers["provider"] === "own";

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [
  {
    key: "site",
    path: ["site", "name"],
    nl: "naam van de locatie of dienst, zoals op alle kasten en het bureau (den-haag-handhaving)",
    en: "name of the site, as on all boxes and the desk",
  },
  {
    key: "node",
    path: ["node"],
    nl: "naam van deze kast (dock-1); staat in elke sleutel in de kluis en verandert nooit",
    en: "name of this box; part of every key in the vault, so it never changes",
  },
  {
    key: "policy",
    path: ["policy"],
    nl: "beleid: den-haag, arnhem, of het pad van een eigen bestand",
    en: "policy: a shipped one, or the path of your own",
    usual: "den-haag",
  },
  {
    key: "informed_on",
    path: ["informed_on"],
    nl: "dag waarop medewerkers over het beleid zijn ingelicht (2026-10-01)",
    en: "the day employees were informed of the policy (AR-11)",
    // A file with a policy of the site's own may say so itself.
    optional: true,
  },
  {
    key: "keys",
    path: [],
    nl: "waar de geheimen van deze kast liggen: folder (in haar map) of systemd (versleuteld voor deze machine)",
    en: "where the secrets of this box are: folder (its own) or systemd (encrypted to this machine)",
    usual: "folder",
    choices: ["folder", "systemd"],
  },
  {
    key: "spool",
    path: ["spool", "path"],
    nl: "map voor de verzegelde bestanden, op een eigen schijf",
    en: "folder for the sealed files, on a disk of its own",
    usual: "/srv/bewaard/spool",
  },
  {
    key: "limit",
    path: ["spool", "limit"],
    nl: "hoeveel beelden die map hoogstens bevat (400 GB)",
    en: "the most footage that folder holds",
  },
  {
    key: "keep_free",
    path: ["spool", "keep_free"],
    nl: "hoeveel op die schijf vrij blijft",
    en: "what stays free on that disk",
    usual: "20 GB",
  },
  {
    key: "vault",
    path: [],
    nl: "waar de kluis is: directory (een map, van een NAS) of s3 (een emmer)",
    en: "where the vault is: a directory (of a NAS) or s3 (a bucket)",
    usual: "directory",
    choices: ["directory", "s3"],
  },
  {
    key: "directory",
    path: ["vault", "directory"],
    nl: "map van de kluis: koppel de NAS eerst aan",
    en: "folder of the vault: mount the NAS first",
    usual: "/mnt/bewaard/vault",
    when: directory,
  },
  inBucket(
    "provider",
    "wie de emmer bewaart (aws, …), of own voor opslag van de organisatie zelf",
    "who keeps the bucket, or own for storage of the organisation itself",
  ),
  inBucket("region", "regio, binnen de EER (eu-central-1)", "region, inside the EEA"),
  inBucket(
    "endpoint",
    "adres (https://…); leeg: het gewone van de regio",
    "address; empty: the usual one of the region",
    { optional: true },
  ),
  inBucket("bucket", "naam van de emmer", "name of the bucket"),
  inBucket(
    "owner",
    "nummer van de rekening waar de emmer van is; leeg: niet nagaan",
    "number of the account it belongs to; empty: not looked at",
    { optional: true },
  ),
  inBucket(
    "level",
    "zekerheid: locked (de emmer bewaakt zelf) of plain",
    "level: locked (the bucket itself guards) or plain",
    { usual: "locked", choices: ["locked", "plain"] },
  ),
  inBucket(
    "certificate",
    "PEM-bestand met de wortel van het certificaat; leeg: de openbare",
    "PEM file with the root of its certificate; empty: the public ones",
    { optional: true, when: own },
  ),
  inBucket("country", "land waar die opslag staat (NL)", "country where that storage stands", {
    when: own,
  }),
  inBucket(
    "declared_by",
    "de rol die dat verklaart (functioneel-beheer)",
    "the role that declares it",
    { when: own },
  ),
  inBucket("declared_on", "de dag van die verklaring (2026-11-01)", "the day of that declaration", {
    when: own,
  }),
  {
    key: "recovery",
    path: ["backup", "recipients"],
    nl: "bestand met de publieke herstelsleutel, voor back-ups (/etc/bewaard/recovery.txt); leeg: geen back-ups",
    en: "file with the public recovery key, for backups; empty: no backups",
    optional: true,
  },
];

/** One that is asked of a vault in a bucket, and stands among what the configuration says of that. */
function inBucket(
  key: string,
  nl: string,
  en: string,
  more: Partial<Omit<Question, "key" | "path" | "nl" | "en">> = {},
): Question {
  return { key, path: ["vault", "s3", key], nl, en, when: bucket, ...more };
}
