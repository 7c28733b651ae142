/**
 * Versions on their way from one repository to another: entries sorted by version, and stores that take them in.
 * @module
 */
import { compareBytes, fromLatin1, toLatin1 } from '../../src/base/bytes.js'
import { type Admission, type AdmitContext, type AdmitOptions, admit } from '../../src/history/admit.js'
import type { Version } from '../../src/history/header.js'
import { genesisKey, versionKey } from '../../src/history/keys.js'
import { Versions } from '../../src/history/versions.js'
import type { Entry } from '../../src/lseq/batch.js'
import { EntryStore } from '../../src/lseq/entries.js'
import { lseqOfKey } from '../../src/lseq/lseq.js'
import { openMemoryStore } from '../../src/lseq/memory.js'
import { Streams } from '../../src/lseq/vector.js'
import { type Entries, entriesOf, holderOf, versionsIn } from './forge.js'

/** A version with all that is sent of it. */
export interface Parcel {
  readonly version: Version
  readonly entries: Entry[]
}

/** The versions among entries, in lseq order, each with what is its own; the first of a stream with the genesis. */
export function parcelsOf(entries: Entries): Parcel[] {
  const versions = versionsIn(entries)
  const byStream = new Map<number, Version[]>()
  const parcels = new Map<Version, Parcel>()
  for (const version of versions) {
    const list = byStream.get(version.stream) ?? []
    byStream.set(version.stream, list)
    list.push(version)
    parcels.set(version, { version, entries: [] })
  }
  for (const [name, value] of entries) {
    if ('IX'.includes(name[0] as string)) continue
    const key = fromLatin1(name)
    const list = byStream.get(lseqOfKey(key).stream) ?? []
    const version = name[0] === 'K' ? list[0] : holderOf(list, name)
    if (version !== undefined) parcels.get(version)?.entries.push({ key, value })
  }
  return [...parcels.values()]
}

/** What is sent of some versions. */
export function sent(...parcels: readonly Parcel[]): Entry[] {
  return parcels.flatMap(({ entries }) => entries)
}

/** A store of nothing but entries, into which versions are admitted. */
export class Replica implements AsyncDisposable {
  readonly entries: EntryStore
  #versions: Versions

  private constructor(entries: EntryStore) {
    this.entries = entries
    this.#versions = new Versions(entries, new Streams())
  }

  /** A store that holds some entries: by default no more than the repository's genesis, which is in `source`. */
  static async of(source: Entries, wanted = (key: string) => key === toLatin1(genesisKey(0))): Promise<Replica> {
    const entries = new EntryStore(await openMemoryStore())
    const list = [...source].filter(([key]) => wanted(key)).map(([key, value]) => ({ key: fromLatin1(key), value }))
    await entries.put(
      list.sort((a, b) => compareBytes(a.key, b.key)),
      { fresh: true, sync: false },
    )
    return new Replica(entries)
  }

  get context(): AdmitContext {
    return { entries: this.entries, versions: this.#versions }
  }

  /** Says what becomes of entries, and writes nothing. */
  judge(incoming: readonly Entry[], options?: AdmitOptions & Pick<AdmitContext, 'tips'>): Promise<Admission> {
    return admit({ ...this.context, tips: options?.tips }, incoming, options)
  }

  /** Takes entries in, as far as they may be. */
  async take(incoming: readonly Entry[], options?: AdmitOptions & Pick<AdmitContext, 'tips'>): Promise<Admission> {
    const admission = await this.judge(incoming, options)
    const operations = admission.evidence.map(({ key, value }) => ({ type: 'put' as const, key, value }))
    await this.entries.put(admission.entries, { operations, sync: false })
    this.#versions = new Versions(this.entries, new Streams())
    return admission
  }

  /** All that is here. */
  all(): Promise<Entries> {
    return entriesOf(this.entries)
  }

  async has({ last, stream }: Version): Promise<boolean> {
    return (await this.entries.get(versionKey(last, stream))) !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.entries.close()
  }
}
