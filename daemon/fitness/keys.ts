import { open, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { parsePersonId } from "#base/ids";
import { DAY_MS, dayOf } from "#base/time";
import { readText } from "../../config/load.ts";
import { readSecret, secretsComeFromSystemd } from "../../config/secrets.ts";
import { parseNodeKey } from "../../storage/ledger/note.ts";
import { oneKind, parseRecipientBook } from "../../storage/seal/recipients.ts";
import { originOf } from "../places.ts";
import { fit, type Machine, notFit, notFitForReal, type Seen, warning } from "./seen.ts";

const WARNING_DAYS = 30;
const CEREMONY = {
  nl: "houd een sleutelceremonie: bewaarctl desk init",
  en: "hold a key ceremony: `bewaarctl desk init`",
};

export async function lookAtNodeKey({ config }: Machine): Promise<readonly Seen[]> {
  parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  const known = fit(originOf(config), originOf(config));
  if (secretsComeFromSystemd()) return [known];
  const { uid } = await stat(join(config.state, "node.key"));
  if (uid === process.getuid?.()) return [known];
  return [
    known,
    warning(
      { nl: "is van een andere gebruiker", en: "belongs to another user" },
      { nl: `chown ${config.state}/node.key`, en: "give it to the user that runs bewaard" },
    ),
  ];
}

export async function lookAtRecipients({ clock, config }: Machine): Promise<readonly Seen[]> {
  const book = parseRecipientBook(await readText(config.recipients));
  const kind = oneKind(book.map(({ recipient }) => recipient));
  const last = book.at(-1)?.day ?? "";
  const left = Math.floor((Date.parse(last) - Date.parse(dayOf(clock.now()))) / DAY_MS);
  const says = { nl: `dagsleutels (${kind}) tot en met ${last}`, en: `day identities to ${last}` };
  if (left < 0) return [notFit({ nl: `${says.nl}: op`, en: `${says.en}: none left` }, CEREMONY)];
  if (left <= WARNING_DAYS) return [warning(says, CEREMONY)];
  return [fit(says.nl, says.en)];
}

/** @throws BewaardError DESK_KEY naming the line that is no signer. */
export async function lookAtSigners({ config }: Machine): Promise<readonly Seen[]> {
  const signers = parseSigners(await readText(config.desk_signers));
  if (signers.length > 0) return [fit(`${signers.length} tekenaar(s)`, "may sign for the desk")];
  return [
    notFit(
      { nl: "niemand mag voor het bureau tekenen", en: "nobody may sign for the desk" },
      { nl: "haal desk.signers bij het bureau", en: "bring desk.signers from the desk" },
    ),
  ];
}

/** The lines of those who may sign for the desk. @throws BewaardError DESK_KEY naming the line that is no signer. */
export function parseSigners(text: string): readonly string[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    if (isSigner(line)) return [line];
    const message = `desk_signers, regel / line ${index + 1}: p-01 namespaces="bewaard-desk" ssh-ed25519 AAAA…`;
    throw new BewaardError("DESK_KEY", message);
  });
}

/** allowed_signers of ssh-keygen(1): the person, options, and a key whose bytes begin with its own type. */
function isSigner(line: string): boolean {
  const [, person = "", options = "", type = "", key = ""] =
    /^(\S+) (?:(\S+) )?((?:sk-)?(?:ssh|ecdsa)-\S+) ([A-Za-z0-9+/=]+)(?: .*)?$/.exec(line) ?? [];
  const bytes = Buffer.from(key, "base64");
  const named = bytes.length > 4 ? bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString() : "";
  const forDesk = !options.includes("namespaces=") || options.includes("bewaard-desk");
  try {
    parsePersonId(person);
  } catch {
    return false;
  }
  return forDesk && named === type && type !== "";
}

/** Larger files are no keys. */
const KEY_BYTES = 64 * 1024;
const SECRET = /AGE-SECRET-KEY-|-----BEGIN OPENSSH PRIVATE KEY-----/;

/** What opens footage, or signs for the desk, must not be where administrators of the box are. */
export async function lookForSecrets(machine: Machine): Promise<readonly Seen[]> {
  const { config, path } = machine;
  const folders = new Set([config.state, dirname(path), dirname(config.recipients)]);
  const seen: Seen[] = [];
  for (const folder of folders) {
    const { count, closed } = await secretsIn(folder);
    if (closed > 0) {
      seen.push(
        warning(
          {
            nl: `${closed} bestand(en) in ${folder} kan bewaard niet inzien`,
            en: `${closed} files there that bewaard may not read`,
          },
          { nl: "draai check eens als root", en: "run check as root once" },
        ),
      );
    }
    if (count === 0) continue;
    seen.push(
      notFitForReal(
        machine,
        {
          nl: `${count} geheime sleutel(s) in ${folder}`,
          en: `${count} secret keys lie where administrators of the box can read them`,
        },
        {
          nl: `haal ze daar weg: grep -lE 'AGE-SECRET-KEY|OPENSSH PRIVATE' ${folder}/*`,
          en: "take them away, to the officers and the desk",
        },
      ),
    );
  }
  return seen.length > 0 ? seen : [fit("geen sleutels van het bureau", "no keys of the desk here")];
}

/** Files with a secret in them, and files that may not be looked into. */
async function secretsIn(folder: string): Promise<{ count: number; closed: number }> {
  let [count, closed] = [0, 0];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      if (SECRET.test(await beginningOf(join(folder, entry.name)))) count += 1;
    } catch (error) {
      if (systemCode(error) === "EACCES") closed += 1;
      // Core's own files come and go.
      else if (systemCode(error) !== "ENOENT") throw error;
    }
  }
  return { count, closed };
}

async function beginningOf(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { bytesRead, buffer } = await file.read(Buffer.alloc(KEY_BYTES), 0, KEY_BYTES, 0);
  return buffer.toString("latin1", 0, bytesRead);
}
