import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Image } from "./image.ts";

/** What is mounted in no guest, but read as a whole: the project. As large in each run, for a snapshot remembers it. */
export const PROJECT_BYTES = 512 * 1024 * 1024;

/** The files of one running machine. */
export function placesIn(folder: string) {
  const at = (name: string): string => join(folder, name);
  return {
    disk: at("disk.qcow2"),
    project: at("project.tar"),
    agent: at("agent.sock"),
    ended: at("ended"),
    monitor: at("monitor.sock"),
    console: at("console.log"),
  };
}

/** Emulated, always: where /dev/kvm is there it need not work, and a machine that builds software has none. */
const BOARD = "-M q35 -nodefaults -no-reboot -display none -accel tcg,thread=multi,tb-size=1024";
// Without AVX, which QEMU emulates only since 7.2: with `-cpu max` Node ended with SIGSEGV twice in some thirty starts.
const PROCESSOR = "-cpu Westmere -m 2048 -rtc base=utc";
// Two kinds of USB: `xhci.0` has eight sockets, each USB 2 and USB 3 at once, `ehci.0` six of USB 2.
const USB = "-device qemu-xhci,id=xhci,p2=8,p3=8 -device usb-ehci,id=ehci";
const KERNEL =
  "root=/dev/vda rw console=ttyS0 quiet loglevel=4 mitigations=off nokaslr apparmor=0 selinux=0 audit=0 " +
  "tsc=reliable no_timer_check panic=-1";

/** What QEMU is told; the same for each run but for the folder. */
export function machineArguments(image: Image, folder: string): readonly string[] {
  const places = placesIn(folder);
  const drive = (id: string, rest: string): readonly (readonly string[])[] => [
    ["-drive", `if=none,id=${id},${rest}`],
    ["-device", `virtio-blk-pci,drive=${id},serial=${id}`],
  ];
  return [
    [
      ...BOARD.split(" "),
      ...PROCESSOR.split(" "),
      "-smp",
      `${image.processors}`,
      ...USB.split(" "),
    ],
    ["-kernel", image.kernel, "-initrd", image.initrd, "-append", KERNEL],
    ...drive("root", `file=${places.disk},format=qcow2,cache=unsafe,discard=unmap`),
    ...drive("project", `file=${places.project},format=raw,readonly=on`),
    ["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
    ["-chardev", `socket,id=agent,path=${places.agent},server=on,wait=off`],
    ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
    ["-chardev", `file,id=ended,path=${places.ended}`],
    ["-device", "virtserialport,chardev=ended,name=ended"],
    ["-qmp", `unix:${places.monitor},server=on,wait=off`, "-serial", `file:${places.console}`],
  ].flat();
}

/** A running machine. */
export interface Machine {
  /** Resolves when it is off, whoever switched it off. */
  readonly ended: Promise<void>;
  /** What QEMU said, once it has ended by itself before anybody asked it to. */
  complaint(): string | undefined;
  /** Pulls the plug. */
  kill(): Promise<void>;
}

/** Switches a machine on; when it is to start anew it goes off. It goes when this process goes, however that ends. */
export function switchOn(image: Image, folder: string, more: readonly string[]): Machine {
  const qemu = ["qemu-system-x86_64", ...machineArguments(image, folder), ...more];
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...qemu], { stdio: [...stdio] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = endOf(child);
  let isOver = false;
  void ended.then(() => (isOver = true));
  return {
    ended,
    complaint: () => (isOver ? `qemu ended: ${said}` : undefined),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  await once(child, "close");
}
