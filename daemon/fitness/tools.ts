import { spawn } from "node:child_process";
import { systemCode } from "#base/errors";
import { type Confinement, confinement } from "../../drivers/bodycam/container-time.ts";
import { output } from "./output.ts";
import { fit, type Machine, notFit, type Say, type Seen, warning } from "./seen.ts";

/** The programs of others that bewaard, or whoever checks it, needs; with the question for its version. */
const TOOLS = [
  { name: "ssh-keygen", from: "openssh-client", ask: undefined, needed: true },
  { name: "ffprobe", from: "ffmpeg", ask: "-version", needed: false },
  { name: "ffmpeg", from: "ffmpeg", ask: "-version", needed: false },
  { name: "openssl", from: "openssl", ask: "version", needed: false },
] as const;

export async function lookAtTools(
  { config }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  // It takes the streams of wall cameras; without them it only shows footage at a desk.
  const recording: readonly string[] = config.cameras.length > 0 ? ["ffmpeg"] : [];
  const programs = await Promise.all(
    TOOLS.map(async ({ name, from, ask, needed }) => {
      const version = await versionOf(name, ask, signal);
      if (version !== undefined) return fit(`${name} ${version}`.trim(), `${name} is there`);
      const says: Say = { nl: `${name} ontbreekt`, en: `${name} is missing` };
      const todo: Say = { nl: `apt-get install ${from}`, en: `apt-get install ${from}` };
      return needed || recording.includes(name) ? notFit(says, todo) : warning(says, todo);
    }),
  );
  return [...programs, ...NETWORK[await confinement(signal)]];
}

/** What a hostile file could reach by way of ffprobe (docs/decisions/0009). */
const NETWORK: Readonly<Record<Confinement, readonly Seen[]>> = {
  own: [fit("ffprobe zonder netwerk", "ffprobe has no network")],
  none: [fit("ffprobe zonder netwerk: er is er geen", "ffprobe has no network: there is none")],
  shared: [
    warning(
      { nl: "ffprobe deelt het netwerk van bewaard", en: "ffprobe shares the network of bewaard" },
      {
        nl: "sta naamruimten toe (sysctl user.max_user_namespaces), of neem de kast van het net",
        en: "allow namespaces (sysctl user.max_user_namespaces), or take the box off the network",
      },
    ),
  ],
  // Told already.
  absent: [],
};

async function versionOf(
  name: string,
  ask: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (ask === undefined) return (await isThere(name, signal)) ? "" : undefined;
  const told = await output(name, [ask], signal);
  return told === undefined ? undefined : (/\d+(?:\.\d+)+\S*/.exec(told)?.[0] ?? "");
}

/** ssh-keygen has no question that does nothing; one it does not know makes it say how it is used. */
function isThere(name: string, signal: AbortSignal): Promise<boolean> {
  const child = spawn(name, ["-?"], { stdio: "ignore", signal });
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      systemCode(error) === "ENOENT" ? resolve(false) : reject(error),
    );
    child.once("close", () => resolve(true));
  });
}
