/**
 * What verification finds: damage, each with a name for what, which version, which path and which key.
 * @module
 */
import { decodeUtf8, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES } from '../lseq/lseq.js'
import type { Range } from '../lseq/store.js'
import { type Kind, kindRange } from './keys.js'

/** One thing that is not as it was signed. */
export interface Damage {
  /**
   * `page`, `entry`, `genesis`, `version`, `signature`, `chain`, `ref`, `group`, `changes`, `content`, `origin`, `tree`,
   * `evidence` or `file`.
   */
  readonly kind: string
  /** Id of the version, hex. */
  readonly version?: string
  readonly path?: string
  /** Full key of the entry, or the beginning that the keys of a group have in common: hex. */
  readonly key?: string
  readonly detail: string
}

/** What a damage may be tied to. */
export interface Place {
  readonly version?: Uint8Array | undefined
  /** Binary string. */
  readonly path?: string | undefined
  readonly key?: Uint8Array | undefined
}

/** Collects damage while everything is read. */
export class Findings {
  readonly damage: Damage[] = []
  /** What is as it was signed, and yet should not be believed. */
  readonly doubts: Damage[] = []
  /** Entries read. */
  entries = 0
  /** Damaged pages by their last key, with the first where it is known: binary strings. */
  readonly #pages = new Map<string, string | undefined>()

  add(kind: string, detail: string, place: Place = {}): void {
    this.damage.push(described(kind, detail, place))
  }

  doubt(kind: string, detail: string, place: Place = {}): void {
    this.doubts.push(described(kind, detail, place))
  }

  /** Runs `work`; an expected failure becomes damage. */
  guard<T>(kind: string, place: Place, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      this.add(kind, error.message, place)
      return undefined
    }
  }

  /** Whether an entry may have been in one of the damaged pages met so far. */
  isLost(key: Uint8Array): boolean {
    const name = toLatin1(key)
    for (const [last, first] of this.#pages) {
      // A page whose first key is unknown still held one kind only.
      if (name <= last && (first === undefined ? name[0] === last[0] : first <= name)) return true
    }
    return false
  }

  /** All entries of a kind, or of a range of keys; damaged pages are noted, each once, and passed over. */
  async *scan(entries: EntryStore, what: Kind | Range): AsyncGenerator<EntryBatch> {
    yield* entries.scan({
      ...(typeof what === 'string' ? kindRange(what) : what),
      onDamage: ({ first, last, detail }) => {
        const name = toLatin1(last)
        if (this.#pages.has(name)) return
        this.#pages.set(name, first && toLatin1(first))
        const from = first === undefined ? '' : `, from ${describeKey(first)}`
        const path = pathIn(last)
        this.add('page', `A page of entries${from} up to ${describeKey(last)} cannot be read: ${detail}`, {
          key: last,
          path,
        })
      },
    })
  }
}

function described(kind: string, detail: string, { version, path, key }: Place): Damage {
  return {
    kind,
    ...(version === undefined ? {} : { version: toHex(version) }),
    ...(path === undefined ? {} : { path: pathText(path) }),
    ...(key === undefined ? {} : { key: toHex(key) }),
    detail,
  }
}

/** The path that a key is about, where it says. */
function pathIn(key: Uint8Array): string | undefined {
  return key[0] === 0x50 ? toLatin1(key, 1, key.length - LSEQ_BYTES - 1) : undefined
}

function describeKey(key: Uint8Array): string {
  const path = pathIn(key)
  return path === undefined ? toHex(key) : `the path ${pathText(path)}`
}

/** A path for people: UTF-8 where it is that, else with the bytes escaped. */
function pathText(path: string): string {
  return decodeUtf8(fromLatin1(path)) ?? path.replace(/[^\x20-\x7e]/g, (c) => `\\${c.charCodeAt(0).toString(8)}`)
}
