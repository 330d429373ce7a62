import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "#base/system-clock";
import { readConfig } from "../../config/load.ts";
import { readSecretFile } from "../../config/secrets.ts";
import { print, printSurely, stopSignal, typed, wholeNumber } from "./program.ts";
import { typedSecret } from "./typed-secret.ts";

interface Asked {
  readonly identity?: string;
  readonly verifier?: string;
  readonly atLeast: string;
}

/** `bewaard recovery-key` and `bewaard restore`: what is done before a box is lost, and after. */
export function addBackupCommands(
  program: Command,
  global: () => { config: string; json: boolean },
): void {
  program
    .command("recovery-key")
    .description(
      "maak de herstelsleutel: de publieke helft naar een bestand, de geheime één keer op het scherm, voor in de envelop / make the recovery key: its public half to a file, the secret one shown once, for the envelope",
    )
    .argument("<file>", "waar de publieke helft komt / where the public half goes")
    .option(
      "--x25519",
      "een kortere, die ook oude age-programma's openen / a shorter one, which old age programs open as well",
      false,
    )
    .action(async (file: string, { x25519 }: { x25519: boolean }) => {
      const { makeRecoveryKey } = await import("../backup/recovery-key.ts");
      await makeRecoveryKey(resolve(file), x25519 ? "x25519" : "pq", (made) =>
        printSurely(
          global().json,
          made,
          () =>
            `Voor in de envelop, en nergens anders / for the envelope, and nowhere else:\n${made.identity}`,
        ),
      );
    });

  program
    .command("restore")
    .description(
      "zet de catalogus van een verloren kast terug uit haar nieuwste back-up; vraagt de sleutel uit de envelop / put back the catalog of a lost box from its newest backup; asks for the key in the envelope",
    )
    .option(
      "--identity <file>",
      "lees de herstelsleutel daaruit; anders van standaardinvoer / read the recovery key there; else from standard input",
    )
    .option(
      "--verifier <key>",
      "publieke sleutel van de verloren kast, als deze een nieuwe heeft / public key of the lost box, where this one has a new one",
    )
    .option(
      "--at-least <entries>",
      "zoveel regels had het logboek zeker / its ledger had at least so many entries",
      "0",
    )
    .action(async ({ identity, verifier, atLeast }: Asked) => {
      const { restoreBox } = await import("../restore/restore.ts");
      const { shownRestore } = await import("./shown-rebuild.ts");
      const config = await readConfig(global().config);
      const known = { verifier, atLeast: typed(wholeNumber, atLeast) };
      const secret =
        identity === undefined
          ? await typedSecret("Herstelsleutel / recovery key: ")
          : await readSecretFile(resolve(identity));
      const report = await restoreBox(systemClock, config, known, secret, stopSignal());
      print(global().json, report, () => shownRestore(report));
    });
}
