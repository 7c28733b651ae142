/**
 * What is in a bundle, and whether a repository can take it: read from its frames, of which only versions and names are
 * unpacked. Nothing is verified that a signature would have to say: that is done when it is applied.
 * @module
 */
import { decodeUtf8Lossy, equalBytes, fromLatin1, toHex } from '../base/bytes.js'
import { readRepositoryId } from '../history/genesis.js'
import { decodeVersion, type VersionRef } from '../history/header.js'
import { REF_KINDS, versionKey } from '../history/keys.js'
import type { Tips } from '../history/published.js'
import { isDeletion, readRefs } from '../history/refs.js'
import type { Entry } from '../lseq/batch.js'
import { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq } from '../lseq/lseq.js'
import { openMemoryStore } from '../lseq/memory.js'
import { openPage } from '../lseq/page.js'
import { formatVector, Streams } from '../lseq/vector.js'
import type { Repository } from '../repo/repository.js'
import { type Bundle, bad, openBundle, read } from './bundle-file.js'
import { decodeStored, FRAME } from './messages.js'
import type { RefChanged } from './replicate.js'

/** What a bundle says and holds. */
export interface BundleInfo {
  readonly file: string
  readonly bytes: number
  /** Id of the repository, hex. */
  readonly repository: string
  /** The replica that made it, hex. */
  readonly replica?: string
  /** The branch on which a clone of it begins. */
  readonly branch?: string
  /** Whether it holds everything, so that it can be cloned. */
  readonly whole: boolean
  /** Vector since which it brings what is new; empty where it is whole. */
  readonly since: string
  /** Vector up to which it brings it. */
  readonly tips: string
  /** Versions of files. */
  readonly versions: number
  /** Versions of names. */
  readonly nameVersions: number
  /** Names that it sets, and to which versions: hex ids; of a name that it deletes none. */
  readonly refs: readonly Omit<RefChanged, 'before'>[]
  /** Lseqs of the versions that it stands on and does not hold. */
  readonly needs: readonly string[]
  /** How a repository stands to it; left out where there is none. */
  readonly here?: BundleHere
}

/** How a repository stands to a bundle. */
export interface BundleHere {
  /** Whether it is one of the same repository. */
  readonly same: boolean
  /** Those of `needs` that are not here. */
  readonly missing: readonly string[]
  /** How many of its versions, of files and of names, are here already. */
  readonly known: number
}

/** More versions than these are not counted: a file may say that it has any number of them. */
const VERSIONS_MOST = 1 << 22

const VERSION = 'V'.charCodeAt(0)
const REF = 'R'.charCodeAt(0)

/** Bytes of names that are looked into. */
const NAMES_BYTES = 64 << 20

/**
 * Looks into a bundle.
 *
 * @param repo - The repository that is to be compared with it, if there is one.
 * @throws {CodedError} As `openBundle`.
 */
export async function bundleInfo(path: string, repo?: Repository): Promise<BundleInfo> {
  const bundle = await openBundle(path)
  const { bytes, head, isWhole } = bundle
  const held = await contents(bundle)
  const needs = [...held.needs.values()].sort(compareLseq)
  const replica = head.replica === undefined ? {} : { replica: toHex(head.replica) }
  return {
    file: path,
    bytes,
    repository: toHex(head.repository),
    ...replica,
    ...(head.branch === undefined ? {} : { branch: head.branch }),
    whole: isWhole,
    since: vectorText(head.since),
    tips: vectorText(head.tips),
    versions: held.content,
    nameVersions: held.ids.size - held.content,
    refs: held.refs,
    needs: needs.map(({ seq, stream }) => formatLseq(seq, stream)),
    ...(repo === undefined ? {} : { here: await standing(repo, bundle, held, needs) }),
  }
}

interface Contents {
  /** Ids of its versions, by lseq as text. */
  readonly ids: ReadonlyMap<string, VersionRef>
  /** How many of them are of files. */
  readonly content: number
  readonly needs: ReadonlyMap<string, VersionRef>
  readonly refs: BundleInfo['refs']
}

async function contents(bundle: Bundle): Promise<Contents> {
  const { path } = bundle
  const ids = new Map<string, VersionRef>()
  const needs = new Map<string, VersionRef>()
  const names: Entry[] = []
  let content = 0
  let bytes = 0
  const take = ({ key, value }: Entry): void => {
    if (key[0] === REF) {
      bytes += key.length + value.length
      if (bytes > NAMES_BYTES) throw bad(path, `it has more than ${NAMES_BYTES} bytes of names`)
      names.push({ key: Uint8Array.from(key), value: Uint8Array.from(value) })
    }
    if (key[0] !== VERSION) return
    const { last, stream, id, tree, prev, parents } = decodeVersion(value)
    if (ids.size >= VERSIONS_MOST) throw bad(path, `it has more than ${VERSIONS_MOST} versions`)
    ids.set(formatLseq(last, stream), { seq: last, stream, id })
    if (tree !== undefined) content++
    for (const ref of [prev, ...parents]) if (ref.seq > 0) needs.set(formatLseq(ref.seq, ref.stream), ref)
  }
  for await (const { type, body } of bundle.frames()) {
    await read(path, () => {
      for (const entry of entriesIn(type, body)) take(entry)
    })
  }
  for (const name of ids.keys()) needs.delete(name)
  return { ids, content, needs, refs: await read(path, () => refsIn(names)) }
}

/** The entries of a frame, if some of them may be versions or names. */
function entriesIn(type: string, body: Uint8Array): Iterable<Entry> {
  if (type === FRAME.page) return openPage(body).unpack()
  if (type !== FRAME.stored) return []
  const { key, page } = decodeStored(body)
  return key[0] === VERSION || key[0] === REF ? openPage(page).unpack() : []
}

/** What names stand at when all that is in the bundle counts, and nothing else. */
async function refsIn(names: readonly Entry[]): Promise<BundleInfo['refs']> {
  await using entries = new EntryStore(await openMemoryStore())
  // Damaged ones may come twice; the last one counts, as for any other reader of them.
  const unique = new Map(names.map((entry) => [toHex(entry.key), entry]))
  await entries.put([...unique.values()], { fresh: true, sync: false })
  const found = new Map<string, { kind: RefChanged['kind']; name: string; after: string[] }>()
  for (const { kind, name, value } of await readRefs(entries)) {
    const known = found.get(kind + name) ?? {
      kind: REF_KINDS[kind],
      name: decodeUtf8Lossy(fromLatin1(name)),
      after: [],
    }
    found.set(kind + name, known)
    if (!isDeletion(value) && value.version !== undefined) known.after.push(toHex(value.version.id))
  }
  return [...found.values()]
}

async function standing(
  repo: Repository,
  { head }: Bundle,
  { ids }: Contents,
  needs: readonly VersionRef[],
): Promise<BundleHere> {
  const same = equalBytes(await readRepositoryId(repo.entries), head.repository)
  if (!same) return { same, missing: [], known: 0 }
  const missing = await lacking(repo, needs)
  const known = ids.size - (await lacking(repo, [...ids.values()])).length
  return { same, missing: missing.map(({ seq, stream }) => formatLseq(seq, stream)), known }
}

/** Those of some versions that are not here. */
async function lacking({ entries }: Repository, refs: readonly VersionRef[]): Promise<VersionRef[]> {
  const ordered = [...refs].sort(compareLseq)
  const values = await entries.getMany(ordered.map(({ seq, stream }) => versionKey(seq, stream)))
  return ordered.filter(({ id }, i) => {
    const value = values[i]
    return value === undefined || !equalBytes(decodeVersion(value).id, id)
  })
}

function vectorText(tips: Tips): string {
  const streams = new Streams()
  return formatVector(tips.vector(streams), streams)
}
