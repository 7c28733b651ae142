/**
 * The contents of an export: file by file, newest first, each as a delta to the one after it.
 *
 * Newest first is git's own habit: files grow, so that going back is mostly leaving out, and what is asked for most stands
 * whole. What two contents have in common is known from replaying the weave, so no delta is searched for.
 * @module
 */
import { equalBytes, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { Findings } from '../history/findings.js'
import type { Graph } from '../history/graph.js'
import { linesPrefix, prefixRange } from '../history/keys.js'
import type { PathPut } from '../history/path-entry.js'
import { type ContentVisitor, LineContents, type PathWrite, visitChunked } from '../history/verify-contents.js'
import type { EntryStore } from '../lseq/entries.js'
import { parseLseq } from '../lseq/lseq.js'
import { gitObjectId } from './object-id.js'
import type { PackWriter } from './pack.js'
import { leafName } from './rebuild.js'

/** Mode of a link to another repository's commit: it has no blob. */
const SUBMODULE = 0o160000
const TYPE_BITS = 0o170000

/** When less than one file in so many is wanted, they are looked for one by one. */
const FEW = 16

/** Where blobs come from and go to. */
export interface BlobContext {
  readonly entries: EntryStore
  readonly graph: Graph
  readonly hashLength: number
  readonly pack: PackWriter
  /** Ids of objects that the target has: binary strings. */
  readonly known: ReadonlySet<string>
  /** Whether a version's commit id proves its contents; others are compared with what was signed. */
  readonly isProven: (number: number) => boolean
  readonly progress: (done: number) => void
}

/** Contents to write, by file id as text, in order of versions. */
export type WantedContents = ReadonlyMap<string, readonly PathWrite[]>

/**
 * Writes contents as blobs.
 *
 * @param files - How many files there are in all.
 * @param oids - Filled with the git id of each content, a binary string, by `leafName`.
 * @throws {CodedError} `CONTENT_DAMAGED`, and what reading entries throws.
 */
export async function writeBlobs(
  context: BlobContext,
  wanted: WantedContents,
  files: number,
  oids: Map<string, string>,
): Promise<void> {
  const { entries, graph } = context
  const findings = new Findings()
  const visit = new BlobVisitor(context, oids).visit
  const contents = new LineContents(graph, { byFile: wanted }, findings, visit, new Map(), { asDeltas: true })
  const ranges =
    wanted.size * FEW > files
      ? (['L'] as const)
      : [...wanted.keys()].flatMap((file) => {
          const id = parseLseq(file)
          return id === undefined ? [] : prefixRange(linesPrefix(id))
        })
  for (const range of ranges) for await (const batch of findings.scan(entries, range)) contents.take(batch)
  contents.finish()
  await visitChunked(entries, graph, { byFile: wanted }, findings, visit)
  const [damage] = findings.damage
  if (damage !== undefined) throw new CodedError('CONTENT_DAMAGED', damage.detail, { hint: 'Run `weft verify`.' })
}

class BlobVisitor {
  readonly #context: BlobContext
  readonly #oids: Map<string, string>
  /** Id of the content seen last, as a blob. */
  #last = ''
  #done = 0

  constructor(context: BlobContext, oids: Map<string, string>) {
    this.#context = context
    this.#oids = oids
  }

  readonly visit: ContentVisitor = (write, put, content, same, copies) => {
    const { hashLength, pack, known } = this.#context
    const base = this.#last
    if (same !== undefined) this.#last = gitObjectId('blob', content, hashLength)
    this.#prove(write, put, content)
    const isLink = (put.mode & TYPE_BITS) === SUBMODULE
    // The content of a submodule link is the id of the commit it names.
    const oid = isLink ? toLatin1(Buffer.from(toLatin1(content), 'hex')) : this.#last
    this.#oids.set(leafName(write.number, write.path), oid)
    if (!isLink && !known.has(oid)) pack.add('blob', oid, content, copies && { id: base, copies })
    if (++this.#done % 256 === 0) this.#context.progress(this.#done)
  }

  #prove(write: PathWrite, put: PathPut, content: Uint8Array): void {
    if (this.#context.isProven(write.number) || equalBytes(crypto.sha256(content), put.sha256)) return
    throw new CodedError('CONTENT_DAMAGED', `A content of ${write.path} is not the one that was signed.`, {
      hint: 'Run `weft verify`.',
    })
  }
}
