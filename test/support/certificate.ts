/**
 * A certificate for this machine, signed by itself, for tests of TLS.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporary } from './temp.js'

/** Files, and what is in them. */
export interface Certificate {
  readonly certPath: string
  readonly keyPath: string
  readonly cert: Buffer
  readonly key: Buffer
}

/** Makes one with openssl; undefined where that is not there. */
export function makeCertificate(): Certificate | undefined {
  const directory = temporary('tls')
  const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const { status } = spawnSync('openssl', [...args, ...names, '-keyout', keyPath, '-out', certPath], {
    stdio: 'ignore',
  })
  if (status !== 0) return undefined
  return { certPath, keyPath, cert: readFileSync(certPath), key: readFileSync(keyPath) }
}
