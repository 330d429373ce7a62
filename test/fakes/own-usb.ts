import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { it } from "mocha";

const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const NO_NETLINK = fileURLToPath(new URL("no-netlink.py", import.meta.url));
const MARK = "BEWAARD_OWN_USB";

// Root makes namespaces as it is; others become the root of a namespace of users first.
const AS_ROOT = process.getuid?.() === 0 ? [] : ["--map-root-user"];
const UNSHARE = ["unshare", ...AS_ROOT, "--mount", "--net", "--"];
const MOUNT = "mount -t tmpfs none /sys";
const PREPARE = ["sh", "-c", `${MOUNT} && exec "$@"`, "sh"];

/** Undefined, or why this machine makes no namespaces for the tests with a USB bus of their own. */
export function whyNoOwnUsb(): string | undefined {
  if (process.env[MARK] !== undefined) return undefined;
  const [command, ...args] = [...UNSHARE, ...PREPARE, "true"] as const;
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr).trim();
}

/**
 * As `it`, in a process with a /sys and a network of its own, both empty: there the test at `url` (its file)
 * plugs in what it likes, and the real package `usb` sees that. `refused`: the kernel gives it no netlink
 * socket, as systemd does with RestrictAddressFamilies=.
 */
export function itWithOwnUsb(
  url: string,
  title: string,
  netlink: "given" | "refused",
  body: () => Promise<void>,
): void {
  if (process.env[MARK] !== undefined) {
    it(title, body);
    return;
  }
  it(title, () => {
    const options = [
      "--no-package",
      "--no-parallel",
      "--timeout",
      "40000",
      "--fail-zero",
      "--exit",
    ];
    const mocha = [process.execPath, MOCHA, ...options, "--fgrep", title, fileURLToPath(url)];
    const refusing = netlink === "refused" ? ["python3", NO_NETLINK] : [];
    const [command = "", ...args] = [...UNSHARE, ...PREPARE, ...refusing, ...mocha];
    const env = { ...process.env, [MARK]: "yes" };
    const how = { encoding: "utf8", env, timeout: 80_000, killSignal: "SIGKILL" } as const;
    const { status, stdout, stderr } = spawnSync(command, args, how);
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}

// Listens to the kernel as udev does (group 1) and tells its listeners (group 2) in udev's own form: a header
// whose numbers are 40 (where the properties start, twice over) and their length, then the properties. Node
// opens no netlink sockets.
const UDEV = `
import json, socket, struct, sys
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
netlink.bind((0, 1))
for line in sys.stdin:
    told = "".join(one + "\\0" for one in json.loads(line)).encode()
    header = b"libudev\\0" + struct.pack(">I", 0xFEEDCAFE) + struct.pack("=III", 40, 40, len(told))
    netlink.sendto(header + bytes(16) + told, (0, 2))
`;

/** In place of udev, in a namespace of the test's own. */
export interface OwnUdev extends AsyncDisposable {
  /** Says that the device at `path` in /sys came or went: after the fact, as udev does. */
  tell(action: "add" | "remove", path: string, bus: number, address: number): void;
}

/** Starts it, which takes a moment: it does not listen yet. */
export function startUdev(): OwnUdev {
  const udev = spawn("python3", ["-c", UDEV], { stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(udev, "exit");
  return {
    tell(action, path, bus, address) {
      const [onBus, at] = [bus, address].map((number) => String(number).padStart(3, "0"));
      const what = ["SUBSYSTEM=usb", "DEVTYPE=usb_device", `DEVNAME=/dev/bus/usb/${onBus}/${at}`];
      const told = [`ACTION=${action}`, `DEVPATH=${path}`, ...what];
      udev.stdin.write(`${JSON.stringify([...told, `BUSNUM=${onBus}`, `DEVNUM=${at}`])}\n`);
    },
    async [Symbol.asyncDispose]() {
      udev.stdin.end();
      await ended;
    },
  };
}
