import assert from "node:assert/strict";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { readUsbDevices, type UsbDevice } from "../drivers/bodycam/usb-devices.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { type UsbTree, usbTree } from "./fakes/usb-tree.ts";

const XHCI = "0000:00:14.0";

/** One controller as most have it: bus 1 of USB2, bus 2 of USB3, sockets 1 and 2 both. */
async function tree(): Promise<AsyncDisposable & UsbTree & { readonly udev: string }> {
  const folder = await temporaryFolder();
  const made = await usbTree(join(folder.path, "sys"));
  await made.bus(1, XHCI);
  await made.bus(2, XHCI, 5000);
  const udev = join(folder.path, "udev");
  return { ...made, udev, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

async function devicesOf({ sys, udev }: { sys: string; udev: string }): Promise<UsbDevice[]> {
  const read = await readUsbDevices(sys, udev);
  assert.ok(read !== "no-usb");
  return [...read];
}

async function slotsOf(usb: { sys: string; udev: string }): Promise<string[]> {
  return (await devicesOf(usb)).map(({ slot }) => slot);
}

describe("what is plugged in", () => {
  it("is a camera with its slot, who it says it is, its disk and two partitions (DH-06)", async () => {
    await using usb = await tree();
    await usb.plug({ at: "1-2", hub: true });
    await usb.plug({ at: "1-2.3", address: 9, serial: "BC-0101" });
    const partitions = [
      { number: 10, device: "8:26", sectors: 4 },
      { number: 2, device: "8:18", sectors: 2048 },
    ];
    await usb.disk({ at: "1-2.3", name: "sdb", device: "8:16", sectors: 4096, partitions });
    assert.deepEqual(await devicesOf(usb), [
      {
        slot: `${XHCI}/2.3`,
        busPath: "1-2.3",
        bus: 1,
        address: 9,
        vendor: "0b6a",
        product: "1234",
        serial: "BC-0101",
        kind: "disk",
        disks: [
          {
            name: "sdb",
            device: "8:16",
            bytes: 4096 * 512,
            readOnly: false,
            partitions: [
              { name: "sdb2", device: "8:18", bytes: 2048 * 512 },
              { name: "sdb10", device: "8:26", bytes: 4 * 512 },
            ],
          },
        ],
      },
    ]);
  });

  it("is no hub, and no controller", async () => {
    await using usb = await tree();
    await usb.plug({ at: "1-2", hub: true });
    assert.deepEqual(await devicesOf(usb), []);
  });

  it("is told where the kernel has no USB", async () => {
    await using folder = await temporaryFolder();
    assert.equal(await readUsbDevices(folder.path, folder.path), "no-usb");
  });

  it("has no partitions where the file system is on the disk itself, and may be write-protected", async () => {
    await using usb = await tree();
    await usb.plug({ at: "1-4" });
    await usb.disk({ at: "1-4", name: "sdc", device: "8:32", sectors: 8, readOnly: true });
    const [camera] = await devicesOf(usb);
    const disk = { name: "sdc", device: "8:32", bytes: 4096, readOnly: true, partitions: [] };
    assert.deepEqual(camera?.disks, [disk]);
  });

  it("has no disks yet just after it was plugged in, and is known for one that will", async () => {
    await using usb = await tree();
    await usb.plug({ at: "1-4" });
    const [camera] = await devicesOf(usb);
    assert.equal(camera?.kind, "disk");
    assert.deepEqual(camera.disks, []);
  });

  it("has the disks of its own, not those of another camera with a longer port path", async () => {
    await using usb = await tree();
    for (const [index, at] of ["1-1", "1-10", "1-11"].entries()) {
      await usb.plug({ at, address: index + 2 });
      await usb.disk({ at, name: `sd${index}`, device: `8:${index}`, sectors: 1 });
    }
    const found = (await devicesOf(usb)).map((one) => one.disks.map(({ name }) => name));
    assert.deepEqual(found, [["sd0"], ["sd1"], ["sd2"]]);
  });

  for (const [title, interfaces, kind] of [
    ["an imaging interface", [{ codes: "060101" }], "mtp"],
    ["an interface of the maker's that is called MTP", [{ codes: "ff0000", name: "MTP" }], "mtp"],
    ["an interface of the maker's that is called otherwise", [{ codes: "ff0000" }], "other"],
    ["a camera for video calls", [{ codes: "0e0100" }], "other"],
    ["storage and MTP at once", [{ codes: "060101" }, { codes: "080650" }], "disk"],
  ] as const) {
    it(`is ${kind} for ${title}`, async () => {
      await using usb = await tree();
      await usb.plug({ at: "1-1", interfaces });
      assert.equal((await devicesOf(usb))[0]?.kind, kind);
    });
  }

  it("speaks MTP when udev knows that it does", async () => {
    await using usb = await tree();
    await usb.plug({ at: "1-1", address: 7, interfaces: [{ codes: "ff4200" }] });
    await mkdir(join(usb.udev, "data"), { recursive: true });
    const known = "N:bus/usb/001/007\nE:ID_MTP_DEVICE=1\nG:seat\n";
    await writeFile(join(usb.udev, "data", "c189:6"), known);
    assert.equal((await devicesOf(usb))[0]?.kind, "mtp");
  });

  it("is shown without steering a terminal, whatever it calls itself, and two stay two", async () => {
    await using usb = await tree();
    const hostile = ["\u001B]0;x\u0007\n\nx", "\u202Egpj", "\\x1b", Buffer.from([0xff, 0xfe])];
    for (const [index, serial] of [...hostile, "", "a\n"].entries())
      await usb.plug({ at: `1-${index + 1}`, address: index + 2, serial });
    assert.deepEqual(
      (await devicesOf(usb)).map(({ serial }) => serial),
      [
        "\\x1b]0;x\\x07\\x0a\\x0ax",
        "\\xe2\\x80\\xaegpj",
        "\\x5cx1b",
        "\\xff\\xfe",
        undefined,
        "a\\x0a",
      ],
    );
  });
});

describe("a slot", () => {
  it("is one for the two speeds of its socket, whatever the kernel calls either", async () => {
    await using usb = await tree();
    await usb.peers("usb1-port5", "usb2-port1");
    await usb.plug({ at: "2-1" });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/5`]);
    await usb.unplug("2-1");
    await usb.plug({ at: "1-5" });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/5`]);
  });

  it("is one for the two speeds of a socket of a hub, which is two hubs", async () => {
    await using usb = await tree();
    await usb.peers("usb1-port5", "usb2-port1");
    await usb.plug({ at: "1-5", address: 2, hub: true });
    await usb.plug({ at: "2-1", address: 3, hub: true });
    await usb.peers("1-5-port3", "2-1-port3");
    await usb.plug({ at: "2-1.3", address: 4 });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/5.3`]);
  });

  it("is found by the hub's own socket where those of the hub know of no other side", async () => {
    await using usb = await tree();
    await usb.peers("usb1-port5", "usb2-port1");
    await usb.plug({ at: "2-1", address: 3, hub: true });
    await usb.plug({ at: "2-1.4", address: 4, hub: true });
    await usb.plug({ at: "2-1.4.2", address: 5 });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/5.4.2`]);
  });

  it("has the same ports where no socket knows of its other side", async () => {
    await using usb = await tree();
    await usb.plug({ at: "2-3" });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/3`]);
  });

  it("keeps its name when the buses are numbered otherwise, and differs between controllers", async () => {
    await using folder = await temporaryFolder();
    const usb = { ...(await usbTree(folder.path)), udev: folder.path };
    await usb.bus(3, XHCI);
    await usb.bus(4, "0000:05:00.0");
    await usb.plug({ at: "3-2", address: 2 });
    await usb.plug({ at: "4-2", address: 2 });
    assert.deepEqual(await slotsOf(usb), [`${XHCI}/2`, "0000:05:00.0/2"]);
  });
});

describe("a device that is pulled out while it is read", () => {
  it("is left out whole, whichever of its files has gone first", async () => {
    for (const gone of ["devnum", "idVendor", "idProduct"]) {
      await using usb = await tree();
      await usb.plug({ at: "1-1", address: 2 });
      await usb.plug({ at: "1-2", address: 3 });
      await rm(join(usb.sys, "bus/usb/devices/1-1", gone));
      assert.deepEqual(await slotsOf(usb), [`${XHCI}/2`], gone);
    }
  });

  it("leaves out a disk of which a part has gone", async () => {
    for (const gone of ["dev", "size", "ro"]) {
      await using usb = await tree();
      await usb.plug({ at: "1-1" });
      await usb.disk({ at: "1-1", name: "sdb", device: "8:16", sectors: 1 });
      await rm(join(usb.sys, "class/block/sdb", gone));
      assert.deepEqual((await devicesOf(usb))[0]?.disks, [], gone);
    }
  });

  it("never lends its disk or its serial number to the next one in its slot", async () => {
    await using usb = await tree();
    const plug = async (address: number): Promise<void> => {
      await usb.plug({ at: "1-1", address, serial: String(address) });
      const device = `8:${address}`;
      await usb.disk({ at: "1-1", name: `sd${address}`, device, sectors: address });
    };
    let whole = 0;
    await plug(2);
    for (let address = 3; address < 43; address += 1) {
      const looking = devicesOf(usb);
      // Another moment each time; the last ones are after the look.
      for (let wait = 3; wait < address; wait += 1) await stat(usb.sys);
      await usb.unplug("1-1");
      await plug(address);
      for (const seen of await looking) {
        assert.equal(seen.serial, String(seen.address));
        for (const { name } of seen.disks) assert.equal(name, `sd${seen.address}`);
        whole += seen.disks.length;
      }
    }
    assert.ok(whole > 0);
  });
});
