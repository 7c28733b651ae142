/**
 * The keys that wrote here, and what is thought of each: `.weft/signers`, a text file that stays on this machine.
 *
 *     weft signers 1
 *
 *     key 5d0c…                            64 hex digits
 *     name Ana Ruiz                        as this repository calls it; left out where nobody said
 *     state revoked                        seen, trusted or revoked
 *     seen 2026-11-21T09:00:00.000Z        when it was first met
 *     revoked 2026-11-22T10:00:00.000Z     when that was said; with the state revoked only, as the next line
 *     until 5e95ba:41,7f00aa:3             up to where what it signed is valid, by stream; `nothing` for nowhere
 *
 * A blank line before each key, keys in the order in which they were met. A key is remembered when it is first met, by
 * its public half: whoever has another one is somebody else, whatever name the versions carry. A key that is revoked keeps
 * what it signed up to a version vector, and no more.
 *
 * Whoever changes the file has the repository open, so that no two do at once.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeUtf8, encodeUtf8, fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { fingerprint } from '../history/signer.js'
import { formatStream, type Lseq } from '../lseq/lseq.js'
import { parseVector } from '../lseq/vector.js'
import { writeDurably } from './durable.js'
import { WEFT_DIRECTORY } from './layout.js'

const FIRST_LINE = 'weft signers 1'

/** Bytes of the longest name. */
const NAME_LIMIT = 255

/** What is thought of a key: that it was met, that it may write, that it may no more. */
export type SignerState = (typeof STATES)[number]
const STATES = ['seen', 'trusted', 'revoked'] as const

/** Until when a key counts. */
export interface Revocation {
  /** When that was said, ISO 8601. */
  readonly time: string
  /** Up to where what it signed is valid; nothing in streams that are not here. Ascending by stream. */
  readonly until: readonly Lseq[]
}

/** A key that was met. */
export interface KnownSigner {
  /** 64 hex digits. */
  readonly publicKey: string
  /** 16 hex digits that stand for it. */
  readonly fingerprint: string
  readonly name?: string
  readonly state: SignerState
  /** When it was first met, ISO 8601. */
  readonly seen: string
  /** With the state `revoked`, and only then. */
  readonly revoked?: Revocation
}

export function signersPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'signers')
}

/**
 * The keys that were met, in the order in which they were.
 *
 * @throws {CodedError} `SIGNERS_DAMAGED`.
 */
export function readSigners(root: string): KnownSigner[] {
  const path = signersPath(root)
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const text = decodeUtf8(bytes)
  if (text === undefined) throw damaged(path, 'it is not UTF-8 text')
  return parseSigners(text, path)
}

/** Replaces the file, whole and durably. @throws {CodedError} `DISK_*`. */
export function writeSigners(root: string, signers: readonly KnownSigner[]): void {
  writeDurably(signersPath(root), encodeUtf8(formatSigners(signers)), 0o666)
}

/**
 * Notes keys that are met for the first time.
 *
 * @param publicKeys - 32 bytes each, any number of times: those of all versions that came in, refused ones too.
 * @returns Those that were not known, to be shown once.
 * @throws {CodedError} `SIGNERS_DAMAGED`, `DISK_*`.
 */
export function rememberSigners(
  root: string,
  publicKeys: Iterable<Uint8Array>,
  now: () => Date = () => new Date(),
): KnownSigner[] {
  const known = readSigners(root)
  const keys = new Set(known.map(({ publicKey }) => publicKey))
  const met: KnownSigner[] = []
  for (const publicKey of publicKeys) {
    const signer = metSigner(publicKey, now())
    if (keys.has(signer.publicKey)) continue
    keys.add(signer.publicKey)
    met.push(signer)
  }
  if (met.length > 0) writeSigners(root, [...known, ...met])
  return met
}

/** A key that is met now. */
export function metSigner(publicKey: Uint8Array, now: Date): KnownSigner {
  return { publicKey: toHex(publicKey), fingerprint: fingerprint(publicKey), state: 'seen', seen: now.toISOString() }
}

/**
 * Why a text cannot be what a key is called; undefined where it can. It must never be taken for a fingerprint.
 *
 * @returns Half a sentence.
 */
export function badSignerName(name: string): string | undefined {
  const bytes = encodeUtf8(name)
  if (name.trim() === '') return 'it is empty'
  if (name !== name.trim()) return 'it begins or ends with a space'
  if (bytes.length > NAME_LIMIT) return `it is longer than ${NAME_LIMIT} bytes`
  if (/\p{Cc}|[\u2028\u2029]/u.test(name)) return 'it has control characters in it'
  if (decodeUtf8(bytes) !== name) return 'it is not valid Unicode'
  if (/^[0-9a-f]+$/i.test(name)) return 'it looks like a fingerprint'
  if (name.startsWith('-')) return 'it begins with a dash, as options do'
  return undefined
}

/** The text of a revocation's vector. */
export function formatUntil(until: readonly Lseq[]): string {
  return until.map(({ stream, seq }) => `${formatStream(stream)}:${seq}`).join(',')
}

export function formatSigners(signers: readonly KnownSigner[]): string {
  const blocks = signers.map(({ publicKey, name, state, seen, revoked }) => {
    const lines = [
      `key ${publicKey}`,
      ...(name === undefined ? [] : [`name ${name}`]),
      `state ${state}`,
      `seen ${seen}`,
    ]
    if (revoked !== undefined) {
      lines.push(
        `revoked ${revoked.time}`,
        `until ${revoked.until.length === 0 ? NOTHING : formatUntil(revoked.until)}`,
      )
    }
    return `\n${lines.join('\n')}\n`
  })
  return `${FIRST_LINE}\n${blocks.join('')}`
}

const NOTHING = 'nothing'

/** @throws {CodedError} `SIGNERS_DAMAGED` with the number of the line. */
export function parseSigners(text: string, path: string): KnownSigner[] {
  const lines = new Lines(text, path)
  lines.expect(FIRST_LINE, (line) => (line === FIRST_LINE ? line : undefined))
  const signers: KnownSigner[] = []
  while (!lines.atEnd) {
    lines.expect('an empty line', (line) => (line === '' ? line : undefined))
    const key = lines.field('key', '64 hex digits', (value) => (/^[0-9a-f]{64}$/.test(value) ? value : undefined))
    if (signers.some(({ publicKey }) => publicKey === key)) lines.fail('the key is there twice')
    const name = lines.has('name')
      ? lines.field('name', 'a name', (value) => (badSignerName(value) === undefined ? value : undefined))
      : undefined
    const state = lines.field('state', STATES.join(', '), (value) => STATES.find((one) => one === value))
    const seen = lines.field('seen', 'a time', timeIn)
    const revoked =
      state === 'revoked'
        ? { time: lines.field('revoked', 'a time', timeIn), until: lines.field('until', 'a version vector', untilIn) }
        : undefined
    signers.push({
      publicKey: key,
      fingerprint: fingerprint(fromHex(key) as Uint8Array),
      ...(name === undefined ? {} : { name }),
      state,
      seen,
      ...(revoked === undefined ? {} : { revoked }),
    })
  }
  return signers
}

function timeIn(value: string): string | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined
}

function untilIn(value: string): Lseq[] | undefined {
  if (value === NOTHING) return []
  const until = parseVector(value)?.sort((a, b) => a.stream - b.stream)
  return until?.every(({ stream }, i) => stream > (until[i - 1]?.stream ?? -1)) ? until : undefined
}

/** The lines of the file, one after the other. */
class Lines {
  readonly #lines: readonly string[]
  readonly #path: string
  #at = 0

  constructor(text: string, path: string) {
    this.#path = path
    // An editor may have left out the last newline, or put carriage returns in.
    this.#lines = text.replace(/\n$/, '').split(/\r?\n/)
  }

  get atEnd(): boolean {
    return this.#at >= this.#lines.length
  }

  has(name: string): boolean {
    return this.#lines[this.#at]?.startsWith(`${name} `) === true
  }

  expect<T>(wish: string, parse: (line: string) => T | undefined): T {
    const line = this.#lines[this.#at++]
    const value = line === undefined ? undefined : parse(line)
    if (value === undefined) this.fail(line === undefined ? `expected ${wish}` : `expected ${wish}, found "${line}"`)
    return value
  }

  field<T>(name: string, wish: string, parse: (value: string) => T | undefined): T {
    return this.expect(`${name}, and ${wish}`, (line) => {
      return line.startsWith(`${name} `) ? parse(line.slice(name.length + 1)) : undefined
    })
  }

  /** About the line that was read last. */
  fail(what: string): never {
    throw damaged(this.#path, `line ${this.#at}: ${what}`)
  }
}

function damaged(path: string, what: string): CodedError {
  return new CodedError('SIGNERS_DAMAGED', `The list of keys ${path} cannot be read: ${what}.`, {
    hint: 'Correct that with an editor, or remove the file: all keys then count as seen for the first time.',
    data: { file: path },
  })
}
