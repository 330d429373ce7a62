import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { it } from "mocha";

const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const NO_NETLINK = fileURLToPath(new URL("no-netlink.py", import.meta.url));
const MARK = "BEWAARD_OWN_USB";

// Root makes namespaces as it is; others become the root of a namespace of users first.
const AS_ROOT = process.getuid?.() === 0 ? [] : ["--map-root-user"];
const UNSHARE = ["unshare", ...AS_ROOT, "--mount", "--net", "--"];
const MOUNT = "mount -t tmpfs none /sys && mount -t tmpfs none /run && mkdir /run/udev";
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

// udev tells its listeners so: its own header, whose numbers are 40 (where the properties start, twice over)
// and their length, then the properties. Node opens no netlink sockets.
const TELL = `
import socket, struct, sys
properties = "".join(one + "\\0" for one in sys.argv[1:]).encode()
header = b"libudev\\0" + struct.pack(">I", 0xFEEDCAFE) + struct.pack("=III", 40, 40, len(properties))
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
netlink.sendto(header + bytes(16) + properties, (0, 2))
`;

/** Says what udev says when a device of the tree in /sys came or went: after the fact, as udev does. */
export function tellOf(action: "add" | "remove", path: string, bus: number, address: number): void {
  const three = (number: number): string => String(number).padStart(3, "0");
  const name = `DEVNAME=/dev/bus/usb/${three(bus)}/${three(address)}`;
  const numbers = [`BUSNUM=${three(bus)}`, `DEVNUM=${three(address)}`, "SEQNUM=1"];
  const what = ["SUBSYSTEM=usb", "DEVTYPE=usb_device"];
  const properties = [`ACTION=${action}`, `DEVPATH=${path}`, ...what, name, ...numbers];
  const { status, stderr } = spawnSync("python3", ["-c", TELL, ...properties], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}
