/**
 * Bearer tokens: who may read and who may write through a server.
 *
 * A token is `weft_` and 32 random bytes in base64url. It is shown once, when it is made; what is kept is its SHA-256, which
 * is enough for a secret that nobody can guess. Each has a file, so that tokens come and go while a server runs, and are
 * looked up without reading the others:
 *
 *     <root>/.weft/tokens/<SHA-256 of the token, 64 hex digits>     mode 0600, the directory 0700
 *         weft-token <read or write> <ISO time> <name>\n
 *
 * `root` is a repository, or a folder of them that is served as a whole. Who may write may read.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { writeDurably } from '../repo/durable.js'
import { tokensPath } from '../repo/layout.js'

/** What the bearer of a token may do. */
export type Access = 'read' | 'write'

/** A token, without what makes it one. */
export interface TokenInfo {
  readonly name: string
  readonly access: Access
  /** When it was made, ISO 8601. */
  readonly created: string
  /** The first 12 hex digits of the token's SHA-256. */
  readonly id: string
}

/** A new token: the only time that it is shown. */
export interface NewToken extends TokenInfo {
  readonly token: string
}

const PREFIX = 'weft_'
const TOKEN = /^weft_[A-Za-z0-9_-]{43}$/
const FILE = /^[0-9a-f]{64}$/
const LINE = /^weft-token (?<access>read|write) (?<created>\S{1,40}) (?<name>[\p{L}\p{N}._@-]{1,64})\n$/u
const NAME = /^[\p{L}\p{N}._@-]{1,64}$/u

/**
 * Makes a token.
 *
 * @param name - For people, to know it by when it is to be removed; by default `token-1`, and so on.
 * @throws {CodedError} `NAME_BAD`, `NAME_TAKEN`, `DISK_*`.
 */
export async function addToken(root: string, access: Access, name: string | undefined, now: Date): Promise<NewToken> {
  const taken = new Set((await listTokens(root)).map((token) => token.name))
  const chosen = name ?? freeName(taken)
  if (!NAME.test(chosen)) {
    throw new CodedError('NAME_BAD', `${JSON.stringify(chosen)} cannot be the name of a token.`, {
      hint: 'Use letters, digits and . _ @ -, at most 64 of them.',
    })
  }
  if (taken.has(chosen)) {
    throw new CodedError('NAME_TAKEN', `There is a token ${chosen} already.`, {
      hint: `Choose another name, or remove it with \`weft serve token remove ${chosen}\`.`,
    })
  }
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`
  const created = now.toISOString()
  const hash = hashOf(token)
  const directory = tokensPath(root)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw diskError(error, directory)
  }
  writeDurably(join(directory, hash), encodeUtf8(`weft-token ${access} ${created} ${chosen}\n`), 0o600)
  return { token, name: chosen, access, created, id: hash.slice(0, 12) }
}

function freeName(taken: ReadonlySet<string>): string {
  for (let i = 1; ; i++) if (!taken.has(`token-${i}`)) return `token-${i}`
}

/**
 * The tokens there are, by name.
 *
 * @throws {CodedError} `TOKEN_DAMAGED`.
 */
export async function listTokens(root: string): Promise<TokenInfo[]> {
  const names = await readdir(tokensPath(root)).catch(absentAs([] as string[]))
  const found = await Promise.all(names.filter((name) => FILE.test(name)).map((hash) => readToken(root, hash)))
  return found.filter((token) => token !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Removes the token of that name; from then on nobody gets in with it.
 *
 * @throws {CodedError} `TOKEN_UNKNOWN`.
 */
export async function removeToken(root: string, name: string): Promise<TokenInfo> {
  const directory = tokensPath(root)
  for (const hash of await readdir(directory).catch(absentAs([] as string[]))) {
    const token = FILE.test(hash) ? await readToken(root, hash) : undefined
    if (token?.name !== name) continue
    await rm(join(directory, hash))
    return token
  }
  throw new CodedError('TOKEN_UNKNOWN', `There is no token ${name}.`, {
    hint: '`weft serve token list` shows those there are.',
  })
}

/**
 * What the bearer of a token may do in `root`; undefined where it is none of its tokens.
 *
 * @throws {CodedError} `TOKEN_DAMAGED`.
 */
export async function findToken(root: string, token: string): Promise<TokenInfo | undefined> {
  return TOKEN.test(token) ? readToken(root, hashOf(token)) : undefined
}

async function readToken(root: string, hash: string): Promise<TokenInfo | undefined> {
  const path = join(tokensPath(root), hash)
  const text = await readFile(path, 'utf8').catch(absentAs(undefined))
  if (text === undefined) return undefined
  const { access, created, name } = LINE.exec(text)?.groups ?? {}
  if (access === undefined || created === undefined || name === undefined) {
    throw new CodedError('TOKEN_DAMAGED', `The token file ${path} makes no sense.`, {
      hint: 'Remove that file, and make a new token.',
    })
  }
  return { name, access: access as Access, created, id: hash.slice(0, 12) }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** What a failed read is to count as where there was nothing to read. */
function absentAs<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value
    throw error
  }
}
