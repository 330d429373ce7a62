// Where buckets may stand (DH-11), keyed by provider, region and host together: `eu-west-2` is London with one
// and Paris with another, so a region's name alone never decides. What is not here is refused. Whoever
// changes a line looks it up with the provider, and moves the date.

/** The day these lines were last looked up. */
export const TABLE_VERSION = "2026-11-22";

/** Whether a bucket must answer a question, may leave it unanswered, or is not asked because it cannot know. */
type Answers = "required" | "warn" | "unsupported";

/** What buckets of a provider tell of themselves. */
export interface Tells {
  /** The header with its region (HeadBucket). */
  readonly header: Answers;
  /** GetBucketLocation. */
  readonly location: Answers;
  /** GetBucketReplication. */
  readonly replication: Answers;
}

export interface Region {
  /** ISO 3166-1; `EU` where a provider promises no more than that. */
  readonly country: string;
  /** Hosts of its endpoint, whole; the first is what is used where the configuration names none. */
  readonly hosts: readonly string[];
  /** For hosts with the account in them. Anchored. */
  readonly hostPattern?: RegExp;
  /** What a bucket there answers to "where are you?". */
  readonly reports: readonly string[];
}

export interface Provider {
  readonly regions: Readonly<Record<string, Region>>;
  /** Every host under these is this provider's: nobody declares those to be storage of their own. */
  readonly domains: readonly string[];
  readonly tells: Tells;
}

function at(country: string, host: string, reports: string, ...aliases: string[]): Region {
  return { country, hosts: [host, ...aliases], reports: [reports] };
}

/** Regions whose host differs by their name only. */
function alike(
  countries: Readonly<Record<string, string>>,
  host: (region: string) => string,
): Readonly<Record<string, Region>> {
  return Object.fromEntries(
    Object.entries(countries).map(([region, country]) => [
      region,
      at(country, host(region), region),
    ]),
  );
}

function aws(country: string, region: string, suffix = "amazonaws.com"): Region {
  return at(country, `s3.${region}.${suffix}`, region, `s3.dualstack.${region}.${suffix}`);
}

const SAYS_ALL: Tells = { header: "required", location: "required", replication: "required" };
const MAY_SAY: Tells = { header: "warn", location: "warn", replication: "warn" };

/** Storage of one's own: whatever it answers, a declaration says where it stands. */
export const OWN_TELLS = MAY_SAY;

export const PROVIDERS: Readonly<Record<string, Provider>> = {
  // Not London (eu-west-2), not Zürich (eu-central-2), no global, accelerated, fips or website endpoint.
  aws: {
    regions: {
      "eu-central-1": aws("DE", "eu-central-1"),
      "eu-north-1": aws("SE", "eu-north-1"),
      "eu-south-1": aws("IT", "eu-south-1"),
      "eu-south-2": aws("ES", "eu-south-2"),
      // Old buckets there answer EU.
      "eu-west-1": { ...aws("IE", "eu-west-1"), reports: ["eu-west-1", "EU"] },
      "eu-west-3": aws("FR", "eu-west-3"),
      "eusc-de-east-1": aws("DE", "eusc-de-east-1", "amazonaws.eu"),
    },
    domains: ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "cloud.adc-e.uk"],
    tells: SAYS_ALL,
  },
  backblaze: {
    regions: alike({ "eu-central-003": "NL" }, (r) => `s3.${r}.backblazeb2.com`),
    domains: ["backblazeb2.com"],
    tells: MAY_SAY,
  },
  // Not Geneva and Zürich (ch-*).
  exoscale: {
    regions: alike(
      {
        "at-vie-1": "AT",
        "at-vie-2": "AT",
        "bg-sof-1": "BG",
        "de-fra-1": "DE",
        "de-muc-1": "DE",
        "hr-zag-1": "HR",
      },
      (zone) => `sos-${zone}.exo.io`,
    ),
    domains: ["exo.io"],
    tells: MAY_SAY,
  },
  hetzner: {
    regions: alike({ fsn1: "DE", hel1: "FI", nbg1: "DE" }, (r) => `${r}.your-objectstorage.com`),
    domains: ["your-objectstorage.com"],
    tells: { ...MAY_SAY, replication: "unsupported" },
  },
  // The region `de` has eu-central-1 in its host.
  ionos: {
    regions: {
      de: at("DE", "s3-eu-central-1.ionoscloud.com", "de"),
      "eu-central-2": at("DE", "s3-eu-central-2.ionoscloud.com", "eu-central-2"),
      "eu-south-2": at("ES", "s3-eu-south-2.ionoscloud.com", "eu-south-2"),
    },
    domains: ["ionoscloud.com", "profitbricks.com"],
    tells: MAY_SAY,
  },
  leaseweb: {
    regions: {
      "de-01": at("DE", "de.object-storage.io", "de-01"),
      "nl-01": at("NL", "nl.object-storage.io", "nl-01"),
    },
    domains: ["object-storage.io"],
    tells: MAY_SAY,
  },
  // Not `uk`; and not rbx-archive, where nothing can be read back.
  ovh: {
    regions: alike(
      { de: "DE", "eu-west-par": "FR", gra: "FR", rbx: "FR", sbg: "FR", waw: "PL" },
      (r) => `s3.${r}.io.cloud.ovh.net`,
    ),
    domains: ["cloud.ovh.net", "cloud.ovh.us", "ovh.com"],
    tells: MAY_SAY,
  },
  // Only where the host says the jurisdiction: places without it are hints that promise nothing.
  r2: {
    regions: {
      auto: {
        country: "EU",
        hosts: [],
        hostPattern: /^[0-9a-f]{32}\.eu\.r2\.cloudflarestorage\.com$/,
        reports: ["auto", "EU", "EEUR", "WEUR"],
      },
    },
    domains: ["cloudflarestorage.com", "r2.dev"],
    tells: { ...MAY_SAY, replication: "unsupported" },
  },
  scaleway: {
    regions: alike(
      { "fr-par": "FR", "it-mil": "IT", "nl-ams": "NL", "pl-waw": "PL" },
      (r) => `s3.${r}.scw.cloud`,
    ),
    domains: ["scw.cloud"],
    tells: MAY_SAY,
  },
  // Here eu-west-1 and eu-west-3 are in the United Kingdom, and eu-west-2 is Paris.
  wasabi: {
    regions: {
      "eu-central-1": wasabi("NL", "eu-central-1", "nl-1"),
      "eu-central-2": wasabi("DE", "eu-central-2", "de-1"),
      "eu-south-1": wasabi("IT", "eu-south-1", "it-1"),
      "eu-west-2": wasabi("FR", "eu-west-2", "fr-1"),
    },
    domains: ["wasabisys.com"],
    tells: MAY_SAY,
  },
};

/** Providers without a place in the EEA that we know of: nobody's own storage either. */
export const FOREIGN_DOMAINS = [
  "aliyuncs.com",
  "digitaloceanspaces.com",
  "googleapis.com",
  "linodeobjects.com",
  "myqcloud.com",
  "oraclecloud.com",
  "storjshare.io",
  "vultrobjects.com",
] as const;

function wasabi(country: string, region: string, alias: string): Region {
  return at(country, `s3.${region}.wasabisys.com`, region, `s3.${alias}.wasabisys.com`);
}
