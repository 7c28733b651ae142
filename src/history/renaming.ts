/**
 * Streams under other ids: what becomes of all that names them.
 *
 * An lseq keeps its seq and gets another stream, wherever it stands: in keys, in positions of lines, in values, in
 * headers. Versions get other ids by that, and so does whatever names them. Nothing else changes.
 *
 * A position is digits and an lseq, behind the position of the run that it is inside of and the index of a line
 * (lines/position.ts). Digits are no lseqs, but may have been chosen to lie beside bytes of one; so whether the runs of a
 * file still have their order is not a matter of course, and is checked.
 * @module
 */
import { compareBytes, concatBytes, equalBytes, fromHex, startsWith, toHex } from '../base/bytes.js'
import { decodeOrigins, encodeOrigins, holdsOrigins } from '../lines/origin.js'
import { encodeLseq, LSEQ_BYTES, type Lseq, readLseq } from '../lseq/lseq.js'
import { type Conflict, decodeConflicts, encodeConflicts, type RegionLines, type Stage } from './conflict.js'
import { decodeVector, encodeVector } from './derived.js'
import type { Extra } from './extra.js'
import type { VersionRef } from './header.js'
import { FILE_PREFIX_BYTES, isTombstoneKey } from './keys.js'
import { CONFLICTS_EXTRA, decodeNote, encodeNote } from './note.js'
import { decodePathEntry, encodePathDelete, encodePathPut } from './path-entry.js'
import { decodeRefValue, encodeRefValue, type RefValue } from './refs.js'
import { sourcesExtra, sourcesOf } from './sources.js'

/** Which streams get which ids, and, as they become known, which versions. */
export class Renaming {
  /** Old stream id -> new one. */
  readonly streams: ReadonlyMap<number, number>
  /** Old version id -> new one, hex. */
  readonly ids: Map<string, string>

  constructor(streams: ReadonlyMap<number, number>, ids: ReadonlyMap<string, string> = new Map()) {
    this.streams = streams
    this.ids = new Map(ids)
  }

  stream(stream: number): number {
    return this.streams.get(stream) ?? stream
  }

  lseq({ seq, stream }: Lseq): Lseq {
    return { seq, stream: this.stream(stream) }
  }

  /** @param id - 64 hex digits. */
  id(id: string): string {
    return this.ids.get(id) ?? id
  }

  ref({ seq, stream, id }: VersionRef): VersionRef {
    return { seq, stream: this.stream(stream), id: fromHex(this.id(toHex(id))) as Uint8Array }
  }

  /** A full key of any kind but lines and derived ones. */
  key(key: Uint8Array): Uint8Array {
    const out = Uint8Array.from(key)
    this.#rewrite(out, out.length - LSEQ_BYTES)
    if (key[0] === RECIPE) this.#rewrite(out, 1)
    return out
  }

  #rewrite(bytes: Uint8Array, at: number): void {
    const { seq, stream } = this.lseq(readLseq(bytes, at))
    bytes.set(encodeLseq(seq, stream), at)
  }

  path(value: Uint8Array): Uint8Array {
    const entry = decodePathEntry(value)
    return 'file' in entry
      ? encodePathPut({ ...entry, file: this.lseq(entry.file) })
      : encodePathDelete(this.lseq(entry.deleted))
  }

  /** The value beside a run. */
  origins(value: Uint8Array): Uint8Array {
    if (!holdsOrigins(value)) return value
    return encodeOrigins(decodeOrigins(value).map((origin) => ({ ...origin, ...this.lseq(origin) })))
  }

  refValue(value: Uint8Array): Uint8Array {
    return encodeRefValue(this.refFields(decodeRefValue(value)))
  }

  refFields(fields: RefValue): RefValue {
    const { replaces, version, vector } = fields
    return {
      ...fields,
      replaces: replaces.map((lseq) => this.lseq(lseq)),
      version: version && this.ref(version),
      vector: vector?.map((lseq) => this.lseq(lseq)),
    }
  }

  vector(value: Uint8Array): Uint8Array {
    return encodeVector(decodeVector(value).map((lseq) => this.lseq(lseq)))
  }

  note(value: Uint8Array): Uint8Array {
    const { message, extra } = decodeNote(value)
    const renamed = extra.map(({ name, value: bytes }): Extra => {
      return { name, value: name === CONFLICTS_EXTRA ? this.conflicts(bytes) : bytes }
    })
    return encodeNote({ message, extra: renamed }) as Uint8Array
  }

  conflicts(bytes: Uint8Array): Uint8Array {
    return encodeConflicts(decodeConflicts(bytes).map((conflict) => this.#conflict(conflict)))
  }

  #conflict({ base, left, right, regions, ...rest }: Conflict): Conflict {
    const stage = (one: Stage): Stage => ({ ...one, file: this.lseq(one.file) })
    const lines = (one: RegionLines): RegionLines => ({
      ...one,
      by: one.by.map(({ version, name }) => ({ version: this.id(version), name })),
    })
    return {
      ...rest,
      ...(base && { base: stage(base) }),
      ...(left && { left: stage(left) }),
      ...(right && { right: stage(right) }),
      regions: regions.map((region) => ({
        ...region,
        base: lines(region.base),
        left: lines(region.left),
        right: lines(region.right),
      })),
    }
  }

  /** Extras of a header. */
  extra(extra: readonly Extra[]): Extra[] {
    const sources = sourcesOf({ extra })
    if (sources.length === 0) return [...extra]
    const renamed = sourcesExtra(sources.map((source) => this.ref(source)))
    return extra.map((one) => (one.name === renamed.name ? renamed : one))
  }
}

const RECIPE = 'B'.charCodeAt(0)

/** The keys of lines, handed over in order. */
export class LineRenaming {
  readonly #renaming: Renaming
  /** `L | file` of the file at hand. */
  #prefix: Uint8Array = new Uint8Array(0)
  #renamedPrefix: Uint8Array = new Uint8Array(0)
  /** The runs that the last one is inside of, and that one: positions as they were and as they are now. */
  #open: { readonly old: Uint8Array; readonly now: Uint8Array }[] = []
  #last: Uint8Array | undefined

  constructor(renaming: Renaming) {
    this.#renaming = renaming
  }

  /** The next key; undefined where it would no longer stand as it stood: behind the one before in its file, in the same run. */
  next(key: Uint8Array): Uint8Array | undefined {
    if (this.#last === undefined || !startsWith(key, this.#prefix)) this.#begin(key.subarray(0, FILE_PREFIX_BYTES))
    const beside = isTombstoneKey(key)
    const place = key.subarray(FILE_PREFIX_BYTES, beside ? key.length - LSEQ_BYTES - 1 : key.length)
    const position = this.#position(place)
    if (position === undefined) return undefined
    const own = this.#renaming.lseq(readLseq(key, key.length - LSEQ_BYTES))
    const tail = beside ? concatBytes(Uint8Array.of(0), encodeLseq(own.seq, own.stream)) : new Uint8Array(0)
    const renamed = concatBytes(this.#renamedPrefix, position, tail)
    if (this.#last !== undefined && compareBytes(this.#last, renamed) >= 0) return undefined
    this.#last = renamed
    return renamed
  }

  #begin(prefix: Uint8Array): void {
    const { seq, stream } = this.#renaming.lseq(readLseq(prefix, 1))
    this.#prefix = prefix
    this.#renamedPrefix = concatBytes(prefix.subarray(0, 1), encodeLseq(seq, stream))
    this.#open = []
    this.#last = undefined
  }

  /** What a run's position becomes; the run is open afterwards. Undefined where it would be inside of another run. */
  #position(old: Uint8Array): Uint8Array | undefined {
    const inside = this.#open.findIndex((run) => !startsWith(old, run.old))
    const left = inside < 0 ? [] : this.#open.splice(inside)
    const around = this.#open.at(-1)
    if (around !== undefined && equalBytes(around.old, old)) return around.now
    const { seq, stream } = this.#renaming.lseq(readLseq(old, old.length - LSEQ_BYTES))
    const digits = old.subarray(around?.old.length ?? 0, old.length - LSEQ_BYTES)
    const now = concatBytes(around?.now ?? new Uint8Array(0), digits, encodeLseq(seq, stream))
    if (left.some((run) => startsWith(now, run.now))) return undefined
    this.#open.push({ old, now })
    return now
  }
}
