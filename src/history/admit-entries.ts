/**
 * Admission, step 4: the entries of each version by themselves, and the roots that it signed over them.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import type { Entry } from '../lseq/batch.js'
import { lseqOfKey } from '../lseq/lseq.js'
import type { Candidate, Incoming } from './admit-batch.js'
import { checkValue, placeFault } from './entry-rules.js'
import { type Fault, faultIn } from './fault.js'
import { changesRoot, decodeGroups, type Group, groupOf, type ListedGroup, sortGroups } from './groups.js'
import { groupsKey, subjectLength } from './keys.js'

const GROUPS = 'G'.charCodeAt(0)

/** Refuses versions whose entries are not those that they signed, or are not what entries may be. */
export function checkEntries(incoming: Incoming): void {
  for (const candidate of incoming.open) {
    const fault = groupsFault(candidate) ?? valuesFault(candidate)
    if (fault !== undefined) incoming.refuse(candidate, fault)
  }
}

/** A version's entries by subject, in key order. */
export function bySubject(entries: readonly Entry[]): Map<string, Entry[]> {
  const subjects = new Map<string, Entry[]>()
  for (const entry of entries) {
    if (entry.key[0] === GROUPS) continue
    const name = toLatin1(entry.key, 0, subjectLength(entry.key))
    const list = subjects.get(name)
    if (list === undefined) subjects.set(name, [entry])
    else list.push(entry)
  }
  return subjects
}

function groupsFault({ entries, version, ref }: Candidate): Fault | undefined {
  const key = groupsKey(ref.seq, ref.stream)
  const list = entries.find((entry) => entry.key[0] === GROUPS)
  let listed: readonly ListedGroup[] = []
  const fault = faultIn(() => {
    if (list !== undefined) listed = decodeGroups(list.value)
  }, key)
  if (fault !== undefined) return fault
  const groups = sortGroups([...bySubject(entries)].map(([name, group]) => groupOf(name, group)))
  const wrong = listFault(groups, listed)
  if (wrong !== undefined) return wrong
  if (changesRoot(groups) === toLatin1(version.changes)) return undefined
  return { code: 'ENTRIES_DIFFER', reason: 'What it adds does not give the root that it signed.' }
}

/** The first difference between groups as they are and as they are listed. */
function listFault(groups: readonly Group[], listed: readonly ListedGroup[]): Fault | undefined {
  for (let i = 0; i < groups.length || i < listed.length; i++) {
    const [group, entry] = [groups[i], listed[i]]
    if (group !== undefined && (entry === undefined || group.name < entry.name)) {
      return differ('It has entries that it does not list', group.name)
    }
    if (entry !== undefined && (group === undefined || group.name > entry.name)) {
      return differ('Entries that it lists are missing', entry.name)
    }
    if (group?.digest.startsWith(entry?.prefix ?? '') === false) {
      return differ('Its entries are not those that it lists: changed, missing or too many', group.name)
    }
  }
  return undefined
}

function differ(reason: string, name: string): Fault {
  const key = fromLatin1(name)
  return { code: 'ENTRIES_DIFFER', reason: `${reason}, under ${toHex(key)}.`, key }
}

/** What is wrong with an entry, its place, or the seqs that it takes. */
function valuesFault({ entries, version }: Candidate): Fault | undefined {
  const taken: [from: number, to: number][] = []
  for (const { key, value } of entries) {
    if (key[0] === GROUPS) continue
    const wrong = placeFault(key, value, version)
    if (wrong !== undefined) return { code: 'BAD_RECORD', reason: wrong, key }
    let count = 1
    const fault = faultIn(() => {
      count = checkValue(key, value)
    }, key)
    if (fault !== undefined) return fault
    const { seq } = lseqOfKey(key)
    taken.push([seq, seq + count])
    if (seq + count - 1 > version.last)
      return { code: 'BAD_RECORD', reason: 'Its lines take seqs that are not its own.', key }
  }
  taken.sort(([a], [b]) => a - b)
  const isTwice = taken.some(([from], i) => i > 0 && from < (taken[i - 1] as [number, number])[1])
  return isTwice ? { code: 'BAD_RECORD', reason: 'Two of its entries take the same seq.' } : undefined
}
