/**
 * Versions as the results describe them: text instead of bytes, ISO times, fingerprints.
 * @module
 */
import { decodeUtf8, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import { decodeGenesis } from '../history/genesis.js'
import type { Ident, Version } from '../history/header.js'
import { genesisKey } from '../history/keys.js'
import { fingerprint } from '../history/signer.js'
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatStream } from '../lseq/lseq.js'
import type { Person, VersionInfo } from './results.js'

/** UTF-8 where the bytes are that, else Latin-1, which any bytes are. */
export function textOf(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? toLatin1(bytes)
}

/** A time by its own clock: `2024-03-01T12:00:00+01:00`. Years beyond 9999 have a sign and six digits, as ISO 8601 wants. */
export function isoTime(seconds: number, zone: number): string {
  const local = new Date((seconds + zone * 60) * 1000)
  // A time that no calendar reaches is shown as the epoch; the header keeps what was said.
  const text = Number.isNaN(local.getTime()) ? '1970-01-01T00:00:00' : local.toISOString().slice(0, -5)
  const minutes = Math.abs(zone)
  const pad = (n: number): string => String(n).padStart(2, '0')
  return `${text}${zone < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`
}

export function person({ name, email, time, zone }: Ident): Person {
  return { name: textOf(name), email: textOf(email), time: isoTime(time, zone) }
}

/** Hex id of the git commit that a version was made from; undefined where it was made from none. */
export function gitId(version: Pick<Version, 'extra'>): string | undefined {
  const id = extraOf(version, GIT_EXTRA)
  return id && toHex(id)
}

/** Describes versions; remembers who signs which stream. */
export class Describer {
  readonly #entries: EntryStore
  readonly #versions: Versions
  readonly #signers = new Map<number, string>()
  /** Of the entries, when `#signers` was right: a stream may get another id. */
  #generation = 0

  constructor(entries: EntryStore, versions: Versions) {
    this.#entries = entries
    this.#versions = versions
  }

  async info(version: Version): Promise<VersionInfo> {
    const git = gitId(version)
    return {
      id: toHex(version.id),
      parents: version.parents.map(({ id }) => toHex(id)),
      author: person(version.author),
      committer: person(version.committer),
      message: textOf((await this.#versions.note(version)).message),
      ...(git === undefined ? {} : { git }),
      stream: formatStream(version.stream),
      seq: version.last,
      signer: await this.signer(version.stream),
    }
  }

  /** Fingerprint of the key that owns a stream. */
  async signer(stream: number): Promise<string> {
    if (this.#entries.generation !== this.#generation) {
      this.#signers.clear()
      this.#generation = this.#entries.generation
    }
    const known = this.#signers.get(stream)
    if (known !== undefined) return known
    const value = await this.#entries.get(genesisKey(stream))
    if (value === undefined) {
      throw new CodedError('STREAM_UNKNOWN', `The genesis of the stream ${formatStream(stream)} is missing.`, {
        hint: 'Run `weft verify` to see what is damaged.',
      })
    }
    const print = fingerprint(decodeGenesis(value).publicKey)
    this.#signers.set(stream, print)
    return print
  }
}
