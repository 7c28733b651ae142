/**
 * The identity: the Ed25519 key with which this user signs, one file in the user's config directory.
 *
 * The file `identity` holds one line, `weft-ed25519 <64 hex digits>`, the 32-byte seed of RFC 8032. It is made on first
 * use with mode 0600, and refused when others may read it.
 * @module
 */
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { fingerprint, type Signer } from '../history/signer.js'

const LINE = /^weft-ed25519 ([0-9a-f]{64})\n$/

/** A user's key. */
export interface Identity {
  /** 64 hex digits. */
  readonly publicKey: string
  /** 16 hex digits that stand for it. */
  readonly fingerprint: string
  /** Whether it was made just now. */
  readonly created: boolean
  /** The file that holds the secret half. */
  readonly path: string
  readonly signer: Signer
}

/**
 * Opens the identity in `home`, or makes one where there is none.
 *
 * @throws {CodedError} `KEY_UNSAFE` when others may read it, `KEY_DAMAGED` when it holds no key.
 */
export async function openIdentity(home: string): Promise<Identity> {
  const path = join(home, 'identity')
  const found = await readSeed(path)
  if (found !== undefined) return identity(found, path, false)
  await mkdir(home, { recursive: true, mode: 0o700 })
  await writeSeed(path, crypto.ed25519.generateSeed(crypto.randomBytes))
  // Another process may have been first: what is in the file counts.
  const made = await readSeed(path)
  if (made === undefined) throw new CodedError('KEY_DAMAGED', `The identity key ${path} vanished while it was made.`)
  return identity(made, path, true)
}

/** The public half of the identity in `home`; undefined where there is none yet. @throws {CodedError} As `openIdentity`. */
export async function knownPublicKey(home: string): Promise<Uint8Array | undefined> {
  const seed = await readSeed(join(home, 'identity'))
  return seed && crypto.ed25519.publicKey(seed)
}

/**
 * The identity in `home`; undefined where there is none yet.
 *
 * @throws {CodedError} As `openIdentity`.
 */
export async function findIdentity(home: string): Promise<Identity | undefined> {
  const path = join(home, 'identity')
  const seed = await readSeed(path)
  return seed && identity(seed, path, false)
}

/**
 * The key that signs.
 *
 * @param home - The user's config directory; without it nothing can be signed.
 * @throws {CodedError} `KEY_MISSING`, and as `openIdentity`.
 */
export async function openSigner(home: string | undefined): Promise<Signer> {
  if (home !== undefined) return (await openIdentity(home)).signer
  throw new CodedError('KEY_MISSING', 'What is written here is signed, and there is no key to sign with.', {
    hint: 'Open the repository with the option `home`, the directory of the identity key.',
  })
}

function identity(seed: Uint8Array, path: string, created: boolean): Identity {
  const publicKey = crypto.ed25519.publicKey(seed)
  return {
    publicKey: toHex(publicKey),
    fingerprint: fingerprint(publicKey),
    created,
    path,
    signer: { publicKey, sign: (id) => crypto.ed25519.sign(seed, id) },
  }
}

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  let text: string
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CodedError('KEY_UNSAFE', `The identity key ${path} can be read by others (mode ${octal(mode)}).`, {
        hint: `Run \`chmod 600 ${path}\`. If others may have copied it, move it away: a new key is made at the next use.`,
      })
    }
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const seed = fromHex(LINE.exec(text)?.[1] ?? 'x')
  if (seed === undefined) {
    throw new CodedError('KEY_DAMAGED', `The identity key ${path} is not a key.`, {
      hint: 'Restore it from a backup, or move it away: a new key is made at the next use.',
    })
  }
  return seed
}

/** Puts the file there whole or not at all, and never over another. */
async function writeSeed(path: string, seed: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.new`
  {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(`weft-ed25519 ${toHex(seed)}\n`)
    await file.sync()
  }
  try {
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
