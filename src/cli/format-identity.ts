/**
 * The identity key in words.
 * @module
 */
import { columns } from './format.js'
import type { Style } from './style.js'

/** What may be told about a key: never its secret half. */
export interface PublicIdentity {
  /** 64 hex digits. */
  readonly publicKey: string
  /** First 16 hex digits of SHA-256(public key). */
  readonly fingerprint: string
  /** The file that holds the key. */
  readonly path: string
  /** Whether it was made just now. */
  readonly created: boolean
}

export function formatIdentity({ publicKey, fingerprint, path, created }: PublicIdentity, { bold }: Style): string {
  const made = created ? 'A new identity key was made. Keep a copy of its file in a safe place.\n\n' : ''
  return `${made}${columns([
    ['Fingerprint', bold(fingerprint)],
    ['Public key', publicKey],
    ['File', path],
  ])}`
}
