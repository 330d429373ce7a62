// What we use of node-onvif 0.1.7, which has no types. Answers are `unknown`: a camera wrote them.

declare module "node-onvif/lib/modules/soap.js" {
  interface Reply {
    readonly soap: string;
    readonly formatted: string;
    readonly converted: unknown;
    readonly data: unknown;
  }
  interface Soap {
    parse(xml: string): Promise<unknown>;
    createRequestSoap(parts: { body: string; xmlns: readonly string[] }): string;
    requestCommand(address: object, method: string, envelope: string): Promise<Reply>;
    _request(address: object, envelope: string): Promise<string>;
  }
  const soap: Soap;
  export = soap;
}

declare module "node-onvif/lib/modules/http-auth.js" {
  const httpAuth: { request: () => never };
  export = httpAuth;
}

declare module "node-onvif/lib/modules/service-device.js" {
  class DeviceService {
    constructor(where: { xaddr: string });
    readonly oxaddr: object;
    getCapabilities(): Promise<{ readonly data: unknown }>;
    getServices(params: { IncludeCapability: boolean }): Promise<{ readonly data: unknown }>;
    getDeviceInformation(): Promise<{ readonly data: unknown }>;
  }
  export = DeviceService;
}

declare module "node-onvif/lib/modules/service-media.js" {
  class MediaService {
    constructor(where: { xaddr: string; time_diff: number });
    readonly oxaddr: object;
    getProfiles(): Promise<{ readonly data: unknown }>;
    getStreamUri(params: { ProfileToken: string; Protocol: "RTSP" }): Promise<{
      readonly data: unknown;
    }>;
  }
  export = MediaService;
}
