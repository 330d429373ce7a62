import type { Config } from "../../config/schema.ts";

/**
 * In the order in which it is to be typed, on this machine or at the desk. `recoveryKey`: where the public half of one is to
 * be made; undefined where it is there.
 */
export function stillToDo(
  config: Config,
  verifier: string,
  brought: boolean,
  recoveryKey: string | undefined,
  tenant: string | undefined,
): readonly string[] {
  const [instance, own] = tenant === undefined ? ["", ""] : [`@${tenant}`, ` --tenant ${tenant}`];
  const desk = [
    `bewaarctl desk init --node '${verifier}' …  # op het bureau / at the desk`,
    `bewaard setup${own} --recipients recipients.txt --signers desk.signers`,
  ];
  const apart = "s3" in config.vault || config.timestamps !== undefined;
  const units = [
    `bewaard${instance}.service`,
    `bewaard-dock${instance}.service`,
    ...(config.cameras.length > 0 ? [`bewaard-record${instance}.service`] : []),
  ];
  return [
    ...(recoveryKey === undefined
      ? []
      : [
          `bewaard recovery-key ${recoveryKey}  # zonder geen back-ups / without it no backups: recover.md`,
        ]),
    ...(brought ? [] : desk),
    // Before it starts: without a way out it reaches no bucket.
    ...(apart ? ["# install.md, A bucket"] : []),
    `systemctl enable --now ${units.join(" ")}`,
  ];
}
