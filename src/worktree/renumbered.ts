/**
 * What stands beside the store and still names versions by ids from before a renumbering: where the work tree stands, its
 * index, what is under way, the log of operations, and up to where a revoked key of one's own counts.
 *
 * The store has noted what has another name now (history/renumbered.ts). All files are rewritten, each whole, and only then
 * the note goes: killed in between, the next one does it again, and what is right already stays as it is.
 *
 * Texts stay as they are: a message that names a version by its id goes on to name the old one.
 * @module
 */
import { existsSync } from 'node:fs'
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { decodeGenesis } from '../history/genesis.js'
import { genesisKey } from '../history/keys.js'
import { decodeRefValue, encodeRefValue } from '../history/refs.js'
import type { Renaming } from '../history/renaming.js'
import { FORGET_RENUMBERED, readRenumbered } from '../history/renumbered.js'
import { formatLseq, parseLseq } from '../lseq/lseq.js'
import { renewHeadsNote } from '../repo/heads-note.js'
import { type Head, writeHead } from '../repo/layout.js'
import type { Repository } from '../repo/repository.js'
import { readSigners, signersPath, writeSigners } from '../repo/signers.js'
import { WorkIndex } from './index-file.js'
import { type FileRecord, type OperationRecord, rewriteOperations } from './operation-log.js'
import { rebuildIndex } from './rebuild.js'
import { readState, type WorkState, writeState } from './state.js'

/**
 * Makes files beside the store name versions as they are called now, where a renumbering has left that to be done.
 *
 * @returns Whether there was anything to do.
 */
export async function settleRenumbered(repo: Repository): Promise<boolean> {
  const renaming = await readRenumbered(repo.entries)
  if (renaming === undefined) return false
  const { root } = repo
  const before = readState(root)
  const after = renamedState(before, renaming)
  if (JSON.stringify(before) !== JSON.stringify(after)) writeState(root, after)
  rewriteOperations(root, (record) => renamedRecord(record, renaming))
  await settleSigners(repo, renaming)
  const head = await repo.head()
  const now = renamedHead(head, renaming)
  await settleIndex(repo, now, renaming)
  if (now.version !== head.version) await writeHead(root, now)
  await renewHeadsNote(repo)
  await repo.entries.store.batch([FORGET_RENUMBERED], { sync: true })
  return true
}

/** The index has file ids and roots in it. Whatever the files' stats vouch for, they still do. */
async function settleIndex(repo: Repository, head: Head, renaming: Renaming): Promise<void> {
  let old: WorkIndex | undefined
  try {
    old = WorkIndex.read(repo.root)
  } catch (error) {
    // Damaged: it is made anew when it is wanted.
    if (!(error instanceof CodedError)) throw error
  }
  if (old?.base === undefined || !renaming.ids.has(toHex(old.base.id))) return
  const rebuilt = await rebuildIndex(repo, head.version, old.with(undefined, new Map()))
  rebuilt.write(repo.root)
}

async function settleSigners({ root, entries }: Repository, renaming: Renaming): Promise<void> {
  if (!existsSync(signersPath(root))) return
  const owners = new Map<number, string>()
  for (const [old, now] of renaming.streams) {
    const genesis = await entries.get(genesisKey(now))
    if (genesis !== undefined) owners.set(old, toHex(decodeGenesis(genesis).publicKey))
  }
  const signers = readSigners(root)
  const renamed = signers.map((signer) => {
    const { revoked, publicKey } = signer
    if (revoked === undefined) return signer
    const until = revoked.until.map((lseq) => (owners.get(lseq.stream) === publicKey ? renaming.lseq(lseq) : lseq))
    return { ...signer, revoked: { ...revoked, until: until.sort((a, b) => a.stream - b.stream) } }
  })
  if (JSON.stringify(signers) !== JSON.stringify(renamed)) writeSigners(root, renamed)
}

function renamedHead(head: Head, renaming: Renaming): Head {
  return head.version === undefined ? head : { ...head, version: renaming.id(head.version) }
}

/** An lseq as text. */
function renamedText(text: string, renaming: Renaming): string {
  const lseq = parseLseq(text)
  if (lseq === undefined) return text
  const { seq, stream } = renaming.lseq(lseq)
  return formatLseq(seq, stream)
}

function renamedState(state: WorkState, renaming: Renaming): WorkState {
  const id = (text: string): string => renaming.id(text)
  const { merge, pick, conflicts, files, sources, bisect, shelves } = state
  return {
    ...state,
    ...(merge && { merge: { ...merge, parents: merge.parents.map(id) } }),
    ...(pick && { pick: { ...pick, version: id(pick.version) } }),
    ...(conflicts && {
      conflicts: {
        ...conflicts,
        data: toHex(renaming.conflicts(fromHex(conflicts.data) as Uint8Array)),
        left: id(conflicts.left),
        right: id(conflicts.right),
      },
    }),
    ...(files && {
      files: Object.fromEntries(Object.entries(files).map(([path, file]) => [path, renamedText(file, renaming)])),
    }),
    ...(sources && { sources: sources.map(id) }),
    ...(bisect && {
      bisect: {
        ...bisect,
        start: renamedHead(bisect.start, renaming),
        ...(bisect.bad === undefined ? {} : { bad: id(bisect.bad) }),
        good: bisect.good.map(id),
        skipped: bisect.skipped.map(id),
        log: bisect.log.map((line) => line.replace(/\b[0-9a-f]{64}\b/g, id)),
      },
    }),
    ...(shelves && { shelves: shelves.map((shelf) => ({ ...shelf, version: id(shelf.version) })) }),
  }
}

function renamedRecord(record: OperationRecord, renaming: Renaming): OperationRecord {
  const { head, state, refs, files, marker } = record
  const value = (text: string): string => {
    return toHex(encodeRefValue(renaming.refFields(decodeRefValue(fromHex(text) as Uint8Array))))
  }
  const file = (one: FileRecord | null): FileRecord | null => {
    if (one?.stored === undefined) return one
    const { at, file: id } = one.stored
    return { ...one, stored: { ...one.stored, at: renaming.id(at), file: renamedText(id, renaming) } }
  }
  return {
    ...record,
    head: { before: renamedHead(head.before, renaming), after: renamedHead(head.after, renaming) },
    state: { before: renamedState(state.before, renaming), after: renamedState(state.after, renaming) },
    refs: refs.map((ref) => ({ ...ref, before: ref.before.map(value), after: ref.after.map(value) })),
    files: files.map(({ path, before, after }) => ({ path, before: file(before), after: file(after) })),
    ...(marker === undefined ? {} : { marker: toHex(renaming.key(fromHex(marker) as Uint8Array)) }),
  }
}
