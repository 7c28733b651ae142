/**
 * Admission, step 5: what the versions make of paths, and the tree roots that they signed.
 *
 * The trees that versions go on from are read from the store once; those in between are kept for as long as a child needs
 * them. On the way it is found out which contents have to be compared: those that a version puts, and those at paths that it
 * leaves alone while the file there may have changed.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { formatLseq, LSEQ_BYTES, lseqOfKey } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import type { Candidate, Incoming } from './admit-batch.js'
import type { AdmitContext, StoredVersions } from './admit-chain.js'
import { coversLeaf, type EntryLeaf, entryOrder, type FileTouch, readBaseTrees } from './base-trees.js'
import { holdersOf, type JoinedSides, joinSides, type Side } from './joined-sides.js'
import { FILE_PREFIX_BYTES, pathKey } from './keys.js'
import { decodePathEntry, fileIdIn, type PathPut } from './path-entry.js'
import { getPath, setPath, type Tree, treeRoot } from './tree.js'

/** A content to be compared: what a version says is at a path. */
export interface ContentClaim {
  readonly candidate: Candidate
  /** Binary string. */
  readonly path: string
  readonly put: PathPut
  /** Full key of the path entry. */
  readonly key: Uint8Array
}

/** A path that a version writes. */
interface Write {
  readonly path: string
  readonly leaf: EntryLeaf
  /** Undefined where the path is deleted. Binary string. */
  readonly file: string | undefined
}

const PATH = 'P'.charCodeAt(0)
const LINES = 'L'.charCodeAt(0)
const RECIPE = 'B'.charCodeAt(0)

/** Compares tree roots, and tells the contents that are to be compared, by file (binary string of its id). */
export async function checkTrees(
  context: AdmitContext,
  incoming: Incoming,
  stored: StoredVersions,
): Promise<Map<string, ContentClaim[]>> {
  const { entries, versions } = context
  const { streams } = versions
  const contents = incoming.open.filter(({ version }) => version.tree !== undefined)
  const writes = new Map(
    contents.map((candidate) => [candidate, writesOf(candidate, streams.slot(candidate.ref.stream))]),
  )
  const files = new Set<string>()
  for (const list of writes.values()) for (const { file } of list) if (file !== undefined) files.add(file)
  const bases = new Map<string, Vector>()
  const children = new Map<Candidate, number>()
  for (const { version } of contents) {
    for (const parent of version.parents) {
      const own = incoming.find(parent)
      if (own?.state === 'open') children.set(own, (children.get(own) ?? 0) + 1)
      else bases.set(formatLseq(parent.seq, parent.stream), await stored.vectorOf(parent))
    }
  }
  const hasRoots = contents.some(({ version }) => version.parents.length === 0)
  const { trees, places, touches } = await readBaseTrees(entries, streams, [...bases.values()], files, hasRoots)
  const sides = new Map([...bases].map(([name, vector], i) => [name, { vector, tree: trees[i] as Tree<EntryLeaf> }]))
  const made = new Map<Candidate, Side<EntryLeaf>>()
  const claims = new Claims(streams, places, touches)
  const order = entryOrder(streams)
  for (const candidate of contents) {
    const { version } = candidate
    const parents = version.parents.map((parent) => {
      const own = incoming.find(parent)
      if (own?.state !== 'open') return sides.get(formatLseq(parent.seq, parent.stream)) as Side<EntryLeaf>
      const side = made.get(own) as Side<EntryLeaf>
      const left = (children.get(own) as number) - 1
      children.set(own, left)
      if (left === 0) made.delete(own)
      return side
    })
    const joined = joinSides(parents, order)
    const own = writes.get(candidate) as Write[]
    const tree = own.reduce((changed, { path, leaf }) => setPath(changed, path, leaf), joined.tree)
    if ((children.get(candidate) ?? 0) > 0) made.set(candidate, { tree, vector: candidate.vector })
    const fault = treeFault(candidate, joined, own, tree)
    if (fault !== undefined) incoming.fail(candidate, { code: 'TREE_MISMATCH', reason: fault })
    claims.add(candidate, joined, own, tree)
  }
  incoming.settle()
  return claims.byFile
}

function treeFault(
  { version, entries }: Candidate,
  { contested }: JoinedSides<EntryLeaf>,
  writes: readonly Write[],
  tree: Tree<EntryLeaf>,
): string | undefined {
  const written = new Set(writes.map(({ path }) => path))
  if ([...contested].some((path) => !written.has(path))) {
    return 'It joins versions that touched a path without knowing of each other, and does not say what is there.'
  }
  const put = new Set(writes.map(({ file }) => file))
  const isForeign = entries.some(({ key }) => {
    if (key[0] !== LINES && key[0] !== RECIPE) return false
    return !put.has(toLatin1(key, 1, FILE_PREFIX_BYTES))
  })
  if (isForeign) return 'It changes a file that it puts at no path.'
  return treeRoot(tree) === toLatin1(version.tree as Uint8Array)
    ? undefined
    : 'The paths of the version do not give the tree root that it signed.'
}

function writesOf({ entries, ref }: Candidate, slot: number): Write[] {
  return entries.flatMap(({ key, value }) => {
    if (key[0] !== PATH) return []
    const path = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
    const { seq } = lseqOfKey(key)
    const isPut = 'file' in decodePathEntry(value)
    const leaf: EntryLeaf = { touch: ref.seq, value: isPut ? toLatin1(value) : undefined, slot, seq }
    return [{ path, leaf, file: isPut ? fileIdIn(toLatin1(value)) : undefined }]
  })
}

/** Collects the contents to compare. */
class Claims {
  readonly byFile = new Map<string, ContentClaim[]>()
  readonly #streams: Streams
  /** By file: the paths where it is or was. */
  readonly #places: Map<string, Set<string>>
  readonly #touches: Map<string, FileTouch[]>

  constructor(streams: Streams, places: Map<string, Set<string>>, touches: Map<string, FileTouch[]>) {
    this.#streams = streams
    this.#places = places
    this.#touches = touches
  }

  add(candidate: Candidate, joined: JoinedSides<EntryLeaf>, writes: readonly Write[], tree: Tree<EntryLeaf>): void {
    const written = new Set(writes.map(({ path }) => path))
    for (const { path, leaf, file } of writes) {
      if (file === undefined) continue
      this.#claim(candidate, path, leaf)
      const places = getOrMake(this.#places, file, () => new Set<string>())
      places.add(path)
      // The file may be at another path as well, which then has to have the same content.
      for (const other of places) {
        if (written.has(other)) continue
        const there = getPath(tree, other)
        if (there?.value !== undefined && fileIdIn(there.value) === file) this.#claim(candidate, other, there)
      }
    }
    for (const path of joined.differing) {
      const leaf = written.has(path) ? undefined : getPath(joined.tree, path)
      if (leaf?.value === undefined) continue
      const touches = this.#touches.get(fileIdIn(leaf.value)) ?? []
      const isChanged = holdersOf(joined, path).every(({ vector }) =>
        touches.some((touch) => coversLeaf(joined.vector, touch) && !coversLeaf(vector, touch)),
      )
      if (isChanged) this.#claim(candidate, path, leaf)
    }
    for (const { leaf, file } of writes) {
      if (file !== undefined) getOrMake(this.#touches, file, () => [] as FileTouch[]).push(leaf)
    }
  }

  #claim(candidate: Candidate, path: string, { value, slot, seq }: EntryLeaf): void {
    const text = value as string
    const put = decodePathEntry(fromLatin1(text)) as PathPut
    const claim = { candidate, path, put, key: pathKey(path, seq, this.#streams.id(slot)) }
    getOrMake(this.byFile, fileIdIn(text), () => [] as ContentClaim[]).push(claim)
  }
}
