import { Decrypter } from "age-encryption";

/** What an age file says, read with the library alone. */
export function decrypted(identity: string, sealed: Uint8Array): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(sealed, "text");
}
