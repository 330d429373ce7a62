import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { type Lock, refusal, tagged } from "./onvif-login.ts";

/** What is wrong with a scripted camera; each only with what it answers to `GetDeviceInformation`. */
type Fault =
  | "hang"
  | "half"
  | "drip"
  | "endless"
  | "deep"
  | "quoted deep"
  | "dtd"
  | "malformed"
  | "html"
  | "redirect"
  | "proto"
  | "close"
  | "no http";

export interface Script extends Lock {
  readonly fault?: Fault;
  readonly media?: "both" | "old" | "new" | "new is broken";
  /** Does not know GetServices. */
  readonly ancient?: boolean;
  /** Leaves RateControl out. */
  readonly bare?: boolean;
  /** Names another host: for its media service, or its stream. */
  readonly foreign?: { readonly media?: string; readonly stream?: string };
  readonly jobs?: readonly ("Active" | "Idle")[];
  readonly stream?: string;
  /** Writes something else than what is right. */
  readonly garble?: (xml: string) => string;
  /** For https: key and certificate in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface OnvifDevice extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Each question: its method, and whether somebody logged in with it. */
  readonly asked: { method: string; user: string | undefined; authorization: string | undefined }[];
}

const NAMESPACES = [
  'xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
  'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"',
  'xmlns:trt="http://www.onvif.org/ver10/media/wsdl"',
  'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl"',
  'xmlns:trc="http://www.onvif.org/ver10/recording/wsdl"',
  'xmlns:tt="http://www.onvif.org/ver10/schema"',
  'xmlns:ter="http://www.onvif.org/ver10/error"',
].join(" ");

/** A camera that speaks as much ONVIF as it is asked, over real HTTP on loopback. */
export async function openOnvifDevice(script: Script = {}): Promise<OnvifDevice> {
  const asked: OnvifDevice["asked"] = [];
  const nonces = new Set<string>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response);
  };
  const { tls } = script;
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const base = `http${tls === undefined ? "" : "s"}://127.0.0.1:${port}/onvif`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
    const body = Buffer.concat(chunks).toString("utf8");
    const method = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? "?";
    const { authorization } = request.headers;
    asked.push({ method, user: tagged(body, "Username"), authorization });
    if (method !== "GetSystemDateAndTime") {
      const refused = refusal(script, request, body, nonces, envelope(fault("NotAuthorized")));
      if (refused !== undefined) {
        response.writeHead(refused.status, refused.headers);
        response.end(refused.body);
        return;
      }
    }
    if (method === "GetDeviceInformation" && script.fault !== undefined) {
      misbehave(script.fault, response, base);
      return;
    }
    const generation = request.url?.endsWith("media2") ? 2 : 1;
    const said = saying(script, base, method, generation);
    const right = said ?? envelope(fault("ActionNotSupported"));
    const xml = script.garble?.(right) ?? right;
    response.writeHead(said === undefined ? 500 : 200, {
      "Content-Type": "application/soap+xml; charset=utf-8",
    });
    response.end(xml);
  }

  return {
    url: `${base}/device_service`,
    port,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ${NAMESPACES}><s:Body>${body}</s:Body></s:Envelope>`;
}

function fault(subcode: string): string {
  return `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:${subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">no: secret text</s:Text></s:Reason></s:Fault>`;
}

function misbehave(what: Fault, response: ServerResponse, base: string): void {
  const xml = { "Content-Type": "application/soap+xml" };
  const nested = (open: string) =>
    envelope(
      `<tds:GetDeviceInformationResponse>${open.repeat(60_000)}${"</a>".repeat(60_000)}</tds:GetDeviceInformationResponse>`,
    );
  switch (what) {
    case "hang":
      return;
    case "half":
      response.writeHead(200, { ...xml, "Content-Length": "1000" });
      response.write("<?xml");
      return;
    case "drip": {
      response.writeHead(200, xml);
      void dripping(response);
      return;
    }
    case "endless": {
      response.writeHead(200, xml);
      const block = Buffer.alloc(256 * 1024, " ");
      const more = () => {
        while (!response.destroyed && response.write(block)) continue;
      };
      response.on("drain", more);
      more();
      return;
    }
    case "deep":
      response.writeHead(200, xml).end(nested("<a>"));
      return;
    case "quoted deep":
      response.writeHead(200, xml).end(nested('<a b="/>">'));
      return;
    case "dtd": {
      const entities = "bcdefghij"
        .split("")
        .map((name, at) => `<!ENTITY ${name} "${`&${"abcdefghij"[at] ?? ""};`.repeat(10)}">`);
      const dtd = `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">${entities.join("")}]>`;
      const bomb = envelope(
        "<tds:GetDeviceInformationResponse><tds:Model>&j;</tds:Model></tds:GetDeviceInformationResponse>",
      );
      response.writeHead(200, xml).end(bomb.replace("?>", `?>${dtd}`));
      return;
    }
    case "malformed":
      response.writeHead(200, xml).end("<s:Envelope><s:Body></s:Oops>");
      return;
    case "html":
      response.writeHead(200, { "Content-Type": "text/html" }).end("<html></html>");
      return;
    case "redirect":
      response.writeHead(307, { Location: base }).end();
      return;
    case "proto":
      response
        .writeHead(200, xml)
        .end(
          envelope(
            "<tds:GetDeviceInformationResponse><__proto__><polluted>yes</polluted></__proto__><tds:Model>m</tds:Model></tds:GetDeviceInformationResponse>",
          ),
        );
      return;
    case "close":
      response.destroy();
      return;
    case "no http":
      response.socket?.end("SSH-2.0-OpenSSH\r\n");
  }
}

async function dripping(response: ServerResponse): Promise<void> {
  const stop = new AbortController();
  response.on("close", () => stop.abort());
  while (!response.destroyed) {
    response.write(" ");
    await systemClock.sleep(200, stop.signal).catch(() => undefined);
  }
}

function saying(script: Script, base: string, method: string, generation: number) {
  const body = bodies(script, base)[`${method}${generation === 2 ? "2" : ""}`];
  return body === undefined ? undefined : envelope(body);
}

function bodies(script: Script, base: string): Readonly<Record<string, string | undefined>> {
  const {
    media = "both",
    foreign = {},
    skewMs = 0,
    stream = "rtsp://127.0.0.1:554/s?a=1",
  } = script;
  const now = new Date(systemClock.now() + skewMs);
  const wsdl = "http://www.onvif.org";
  const mediaAt = foreign.media ?? `${base}/media`;
  const named = [
    ["ver10/device", `${base}/device_service`],
    ...(media === "new" ? [] : [["ver10/media", mediaAt]]),
    ...(media === "old" ? [] : [["ver20/media", `${base}/media2`]]),
    ...(script.jobs === undefined ? [] : [["ver10/recording", `${base}/recording`]]),
  ];
  const rate = (attributes: string) =>
    script.bare === true
      ? ""
      : `<tt:RateControl${attributes}><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>`;
  const size = (width: number, height: number) =>
    `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;
  const uri = (foreign.stream ?? stream).replaceAll("&", "&amp;");
  return {
    GetSystemDateAndTime: `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
    GetServices:
      script.ancient === true
        ? undefined
        : `<tds:GetServicesResponse>${named
            .map(
              ([name, at]) =>
                `<tds:Service><tds:Namespace>${wsdl}/${name}/wsdl</tds:Namespace><tds:XAddr>${at}</tds:XAddr></tds:Service>`,
            )
            .join("")}</tds:GetServicesResponse>`,
    GetCapabilities: `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>${mediaAt}</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`,
    GetDeviceInformation:
      "<tds:GetDeviceInformationResponse><tds:Manufacturer>Fabriek</tds:Manufacturer><tds:Model>M1</tds:Model><tds:FirmwareVersion>1.2</tds:FirmwareVersion><tds:SerialNumber>SN1</tds:SerialNumber></tds:GetDeviceInformationResponse>",
    GetProfiles: `<trt:GetProfilesResponse><trt:Profiles token="p0"><tt:Name>main</tt:Name><tt:VideoEncoderConfiguration token="e"><tt:Encoding>H264</tt:Encoding>${size(1920, 1080)}${rate("")}<tt:H264><tt:GovLength>50</tt:GovLength></tt:H264></tt:VideoEncoderConfiguration><tt:AudioEncoderConfiguration token="a"><tt:Encoding>G711</tt:Encoding></tt:AudioEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse>`,
    GetStreamUri: `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${uri}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`,
    GetProfiles2:
      media === "new is broken"
        ? undefined
        : `<tr2:GetProfilesResponse><tr2:Profiles token="p0"><tr2:Name>main</tr2:Name><tr2:Configurations><tr2:VideoEncoder token="e" GovLength="50"><tt:Encoding>H265</tt:Encoding>${size(3840, 2160)}${rate(' ConstantBitRate="false"')}</tr2:VideoEncoder><tr2:Analytics token="x"/></tr2:Configurations></tr2:Profiles><tr2:Profiles token="p1"/></tr2:GetProfilesResponse>`,
    GetStreamUri2: `<tr2:GetStreamUriResponse><tr2:Uri>${uri}</tr2:Uri></tr2:GetStreamUriResponse>`,
    GetRecordingJobs: `<trc:GetRecordingJobsResponse>${(script.jobs ?? [])
      .map(
        (mode) =>
          `<trc:JobItem><trc:JobToken>j</trc:JobToken><trc:JobConfiguration><tt:Mode>${mode}</tt:Mode></trc:JobConfiguration></trc:JobItem>`,
      )
      .join("")}</trc:GetRecordingJobsResponse>`,
  };
}
