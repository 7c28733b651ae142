/**
 * Reads the contents a plan asks for and weaves them, file by file.
 *
 * One git process streams the contents in the order in which they are wanted, so at any time one file's weave and a few
 * of its states are in memory, and of what is done only the new lines are kept.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { chunkBoundaries } from '../lines/chunk.js'
import { isText } from '../lines/split.js'
import { type FileState, NO_STATE, Weaver } from '../lines/weaver.js'
import { Vector } from '../lseq/vector.js'
import { CatFile, type ObjectSource } from './cat-file.js'
import type { FileNode, KnownVersion, NodeContent, PlannedFile } from './plan.js'

/** File type bits of a link to a commit of another repository: git has no content for it. */
const SUBMODULE = 0o160000

const NOTHING = new Uint8Array(0)

/** What reading contents stands on. */
export interface ContentsContext {
  readonly source: ObjectSource
  readonly known: (number: number) => KnownVersion
  /** Fills a weaver with what is stored of a file. */
  readonly load: (file: PlannedFile, weaver: Weaver) => Promise<void>
  /** Called after each file with the number of contents done so far. */
  readonly progress: (done: number) => void
  /** Give up once more than this many bytes are kept. */
  readonly keepAtMost: number
}

/** What was read. */
export interface Contents {
  /** Bytes of all chunks met, by hash. */
  readonly chunks: ReadonlyMap<DigestString, Uint8Array>
  /** Bytes of content read from git. */
  readonly bytes: number
  /** False where `keepAtMost` was passed: nothing of this is then to be used. */
  readonly complete: boolean
}

/** Whether a node's content is that of the one node it grew out of. */
function isUnchanged(node: FileNode): boolean {
  return node.parents.length === 1 && node.parents[0]?.oid === node.oid
}

/**
 * Fills `content` of every node in `todo`.
 *
 * @param todo - Files with their nodes of this plan, in order of versions.
 */
export async function readContents(
  todo: readonly { readonly file: PlannedFile; readonly nodes: readonly FileNode[] }[],
  context: ContentsContext,
): Promise<Contents> {
  const git = new CatFile(context.source, wantedIds(todo))
  const chunks = new Map<DigestString, Uint8Array>()
  let bytes = 0
  let kept = 0
  let done = 0
  try {
    for (const { file, nodes } of todo) {
      const history = new FileHistory(file, context)
      for (const node of nodes) {
        done++
        if (isUnchanged(node)) {
          history.pass(node)
          continue
        }
        const content =
          node.mode === SUBMODULE ? fromLatin1(toHex(fromLatin1(node.oid as string))) : (await git.next()).bytes
        bytes += content.length
        kept += await history.add(node, content, chunks)
      }
      context.progress(done)
      if (kept > context.keepAtMost) return { chunks, bytes, complete: false }
    }
  } finally {
    await git.close()
  }
  return { chunks, bytes, complete: true }
}

function* wantedIds(todo: readonly { readonly nodes: readonly FileNode[] }[]): Generator<string> {
  for (const { nodes } of todo) {
    for (const node of nodes) {
      if (!isUnchanged(node) && node.mode !== SUBMODULE) yield toHex(fromLatin1(node.oid as string))
    }
  }
}

/** The states of one file, each kept for as long as another may grow out of it; any can be had from the weave again. */
class FileHistory {
  readonly #file: PlannedFile
  readonly #context: ContentsContext
  readonly #states = new Map<FileNode, FileState>()
  #weaver: Weaver | undefined

  constructor(file: PlannedFile, context: ContentsContext) {
    this.#file = file
    this.#context = context
  }

  /** A node with its parent's content: a new name or mode. */
  pass(node: FileNode): void {
    const [parent] = node.parents
    node.content = { ...(parent?.content as NodeContent), recipe: undefined, runs: [], tombstones: [], moved: [] }
    const state = this.#states.get(parent as FileNode)
    if (state !== undefined && node.children > 0) this.#states.set(node, state)
    this.#release(node)
  }

  /** Weaves a node's content and returns the bytes that are kept of it. */
  async add(node: FileNode, content: Uint8Array, chunks: Map<DigestString, Uint8Array>): Promise<number> {
    const text = isText(content)
    const from = await this.#grownFrom(node)
    const weaver = await this.#loaded()
    const sources = node.parents.length > 1 ? await Promise.all(node.parents.map((one) => this.#stateOf(one))) : []
    const { state, ...woven } = weaver.weave(from, text ? content : NOTHING, node.version, sources)
    const cut = text ? undefined : cutChunks(content, chunks)
    node.content = {
      size: content.length,
      sha256: crypto.sha256Binary(content),
      chunked: !text,
      recipe: cut?.hashes,
      ...woven,
    }
    if (node.children > 0) this.#states.set(node, state)
    this.#release(node)
    let kept = cut?.added ?? 0
    for (const run of woven.runs) kept += run.text.length
    return kept
  }

  /** The state a node's content is compared with: its parent's, or what the lines of all its parents come to. */
  async #grownFrom({ parents }: FileNode): Promise<FileState> {
    const [first, ...others] = parents
    if (first === undefined) return NO_STATE
    return others.length === 0 ? this.#stateOf(first) : this.#join(parents)
  }

  async #stateOf(node: FileNode): Promise<FileState> {
    const known = this.#states.get(node)
    if (known !== undefined) return known
    const state = await this.#join([node])
    // Several nodes may grow out of one stored state: build it once.
    if (node.children > 1) this.#states.set(node, state)
    return state
  }

  async #join(nodes: readonly FileNode[]): Promise<FileState> {
    const { known } = this.#context
    let vector = Vector.empty
    for (const { version } of nodes) vector = vector.join(known(version).vector)
    return (await this.#loaded()).stateAt((version) => vector.covers(known(version).slot, version))
  }

  async #loaded(): Promise<Weaver> {
    if (this.#weaver === undefined) {
      this.#weaver = new Weaver()
      if (this.#file.id !== undefined) await this.#context.load(this.#file, this.#weaver)
    }
    return this.#weaver
  }

  #release(node: FileNode): void {
    for (const parent of node.parents) {
      parent.children--
      if (parent.children === 0) this.#states.delete(parent)
    }
  }
}

/** Cuts a content into chunks, keeps the bytes of those not met before, and says how many bytes that were. */
function cutChunks(
  content: Uint8Array,
  chunks: Map<DigestString, Uint8Array>,
): { hashes: DigestString[]; added: number } {
  const hashes: DigestString[] = []
  let added = 0
  let start = 0
  for (const end of chunkBoundaries(content)) {
    const chunk = content.subarray(start, end)
    const hash = crypto.sha256Binary(chunk)
    hashes.push(hash)
    if (!chunks.has(hash)) {
      chunks.set(hash, Uint8Array.from(chunk))
      added += chunk.length
    }
    start = end
  }
  return { hashes, added }
}
