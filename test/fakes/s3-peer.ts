import type { S3Server } from "../../daemon/demo/s3-server/server.ts";
import type { Peer } from "../contracts/s3-row.ts";

const [OWNER, OTHER] = [
  { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" },
  { name: "other", accessKeyId: "OTHER", secretAccessKey: "others-secret" },
];

/** Who the in-repo server knows when it is asked the rows. */
export const S3_USERS = [OWNER, OTHER];

type Place = Pick<S3Server, "endpoint" | "region">;

/** The in-repo server as a peer. */
export function s3Peer({ endpoint, region }: Place, dayMs: number): Peer {
  return {
    endpoint,
    region,
    owner: { ...OWNER, arn: "arn:aws:iam:::user/owner" },
    other: { ...OTHER, arn: "arn:aws:iam:::user/other" },
    dayMs,
  };
}
