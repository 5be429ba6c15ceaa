import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and its own certificate for this machine, as files in a folder of their own. */
export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  /** What a client has to trust. */
  readonly ca: string;
  remove(): void;
}

/** Makes one, by `openssl`. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'cert-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '1', '-keyout', keyFile, '-out', certFile, ...subject], {
    stdio: 'ignore',
  });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { keyFile, certFile, ca: readFileSync(certFile, 'utf8'), remove };
}

/** Arguments of a server that speaks TLS on `port`, and asks clients for no certificate. */
export function tlsArguments(port: number, { keyFile, certFile }: Certificate): string[] {
  const files = ['--tls-key-file', keyFile, '--tls-cert-file', certFile, '--tls-ca-cert-file', certFile];
  return ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}
