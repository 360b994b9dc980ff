/** Certificate authorities of a test's own, made by openssl, and certificates that they sign. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./process.ts";

export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export class CertificateAuthority {
  readonly certificate: string;
  readonly #folder: string;
  readonly #name: string;

  /** `folder` is the test's to remove. */
  static async create(folder: string, name: string): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(folder, name);
    const files = ["-keyout", authority.#keyFile, "-out", authority.certificate];
    await runCommand(["openssl", "req", "-x509", ...NEW_KEY, ...files, "-days", "2", "-subj", `/CN=${name}`]);
    return authority;
  }

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.certificate = join(folder, `${name}.crt`);
  }

  get #keyFile(): string {
    return join(this.#folder, `${this.#name}.key`);
  }

  /** For a server on 127.0.0.1, and for a client of that name. */
  async sign(name: string): Promise<CertificateFiles> {
    const files = {
      ca: this.certificate,
      cert: join(this.#folder, `${name}.crt`),
      key: join(this.#folder, `${name}.key`),
    };
    const request = join(this.#folder, `${name}.csr`);
    const extensions = join(this.#folder, `${name}.ext`);
    writeFileSync(extensions, "subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth, clientAuth\n");
    await runCommand(["openssl", "req", ...NEW_KEY, "-keyout", files.key, "-out", request, "-subj", `/CN=${name}`]);
    await runCommand([
      ...["openssl", "x509", "-req", "-in", request, "-out", files.cert, "-days", "2", "-extfile", extensions],
      ...["-CA", this.certificate, "-CAkey", this.#keyFile, "-CAcreateserial"],
    ]);
    return files;
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
