/**
 * Admission of random histories: in any batches and any order they come out as they were; and whatever is done to what is
 * sent, nothing is thrown and nothing is taken in that verify calls damaged.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import type { Admission } from '../src/history/admit.js'
import { changesRoot, encodeGroups, groupOf, sortGroups } from '../src/history/groups.js'
import { decodeVersion, encodeHeader, encodeVersion, type VersionRef } from '../src/history/header.js'
import { groupsKey, subjectLength, versionKey } from '../src/history/keys.js'
import type { Signer } from '../src/history/signer.js'
import { verifyEntries } from '../src/history/verify.js'
import { openIdentity } from '../src/index.js'
import type { Entry } from '../src/lseq/batch.js'
import { type Entries, entriesOf } from './support/forge.js'
import { importedFrom } from './support/imported.js'
import { type Change, lines, Story } from './support/merging.js'
import { type Random, random } from './support/random.js'
import { randomHistory } from './support/random-history.js'
import { type Parcel, parcelsOf, Replica, sent } from './support/replica.js'
import { HOME } from './support/weft.js'

const chance = random('admission')

/** An imported history, with its refs. */
async function importedHistory(): Promise<Entries> {
  await using repo = await (await importedFrom(randomHistory(25, chance).dir)).open()
  return await entriesOf(repo.entries)
}

/** A history made here: edits, renames, deletions, merges that move lines. */
async function madeHistory(): Promise<Entries> {
  await using story = await Story.begin()
  const words = 'a b c d e f g h i j k l'.split(' ')
  const text = () => lines(words.filter(() => chance.below(4) > 0).join(' '))
  const heads: VersionRef[] = [
    await story.commit([], { one: lines(words.join(' ')), two: text(), 'three/four': text() }),
  ]
  for (let i = 0; i < 22; i++) {
    const parent = heads[chance.below(heads.length)] as VersionRef
    if (heads.length > 1 && chance.below(3) === 0) {
      const other = heads[chance.below(heads.length)] as VersionRef
      if (toHex(other.id) !== toHex(parent.id)) heads.push(await story.merge(parent, other))
      continue
    }
    const files = Object.keys(await story.files(parent))
    const path = files[chance.below(files.length)] ?? 'new'
    const changes: Record<string, Change>[] = [
      { [path]: text() },
      { [path]: text(), [`new${i}`]: text() },
      { [`moved${i}`]: { from: path, text: text() } },
      { [`moved${i}`]: { from: path } },
      { [path]: files.length > 2 ? undefined : text() },
      { [path]: `\0${'bytes '.repeat(chance.below(3000))}` },
      { [path]: { mode: 0o100755, text: text() } },
    ]
    heads.push(await story.commit([parent], changes[chance.below(changes.length)] as Record<string, Change>))
    if (heads.length > 5) heads.shift()
  }
  return await entriesOf(story.repo.entries)
}

function shuffled<T>(items: readonly T[], dice: Random): T[] {
  const left = [...items]
  return items.map(() => left.splice(dice.below(left.length), 1)[0] as T)
}

const sorted = (entries: Entries) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

/** Offers parcels in random batches, and again what has to wait, until all has been offered. */
async function offerAll(replica: Replica, parcels: readonly Parcel[]): Promise<Admission | undefined> {
  let aside: Entry[] = []
  let admission: Admission | undefined
  for (let i = 0; i < parcels.length; ) {
    const size = 1 + chance.below(8)
    admission = await replica.take(shuffled([...aside, ...sent(...parcels.slice(i, i + size))], chance))
    assert.deepEqual(admission.refused, [])
    aside = admission.waiting.flatMap(({ entries }) => [...entries])
    i += size
  }
  return admission
}

for (const [name, history] of [
  ['imported', importedHistory],
  ['made here', madeHistory],
] as const) {
  describe(`admission of a random history, ${name}`, () => {
    it('in any order and any batches gives what it was', async () => {
      const source = await history()
      const parcels = parcelsOf(source)
      for (let round = 0; round < 4; round++) {
        await using replica = await Replica.of(source)
        const last = await offerAll(replica, round === 0 ? parcels : shuffled(parcels, chance))
        assert.deepEqual(last?.waiting, [])
        assert.deepEqual(sorted(await replica.all()), sorted(source))
        assert.deepEqual((await verifyEntries(replica.entries)).damage, [])
      }
    })

    it('spoilt on the way never throws, and takes in nothing that is damaged', async () => {
      const source = await history()
      const parcels = parcelsOf(source)
      for (let round = 0; round < 60; round++) {
        const from = chance.below(parcels.length)
        await using replica = await Replica.of(source)
        await replica.take(sent(...parcels.slice(0, from)))
        const before = await replica.all()
        const incoming = spoilt(sent(...parcels.slice(from, from + 6)))
        const { refused, waiting } = await replica.take(incoming)
        for (const { code, reason } of refused) assert.ok(code.length > 0 && reason.length > 0)
        assert.ok(waiting.length <= 6)
        const { damage } = await verifyEntries(replica.entries)
        assert.deepEqual(damage, [], `seed ${chance.seed}, round ${round}`)
        const after = await replica.all()
        for (const [key, value] of before) assert.deepEqual(after.get(key), value)
        // What is right can still come in.
        const again = await replica.take(sent(...parcels))
        assert.deepEqual([again.refused, again.waiting], [[], []], `seed ${chance.seed}, round ${round}`)
        assert.deepEqual(sorted(await replica.all()), sorted(source))
      }
    })

    it('spoilt and signed takes in nothing that is damaged', async () => {
      const source = await history()
      const parcels = parcelsOf(source)
      const { signer } = await openIdentity(HOME)
      let taken = 0
      for (let round = 0; round < 150; round++) {
        const at = chance.below(parcels.length)
        const parcel = parcels[at] as Parcel
        await using replica = await Replica.of(source)
        await replica.take(sent(...parcels.slice(0, at)))
        const incoming = signed(spoilt([...parcel.entries]), parcel, signer)
        const { accepted } = await replica.take(incoming)
        taken += accepted.length
        const { damage } = await verifyEntries(replica.entries)
        assert.deepEqual(damage, [], `seed ${chance.seed}, round ${round}`)
      }
      assert.ok(taken > 0, 'some of it should have been harmless')
    })
  })
}

/** Entries with something changed, taken away or added. */
function spoilt(entries: readonly Entry[]): Entry[] {
  const list = [...entries]
  for (let i = 0; i <= chance.below(3); i++) {
    const at = chance.below(list.length)
    const { key, value } = list[at] as Entry
    const other = list[chance.below(list.length)] as Entry
    switch (chance.below(9)) {
      case 0:
        list.splice(at, list.length > 1 ? 1 : 0)
        break
      case 1:
        list[at] = { key, value: flipped(value) }
        break
      case 2:
        list[at] = { key: flipped(key), value }
        break
      case 3:
        list.push({ key: flipped(key), value })
        break
      case 4:
        list[at] = { key, value: other.value }
        break
      case 5:
        list[at] = { key, value: value.subarray(0, chance.below(value.length + 1)) }
        break
      case 6:
        list.push({ key, value: flipped(value) })
        break
      case 7:
        list[at] = { key: key.subarray(0, chance.below(key.length + 1)), value }
        break
      default:
        list.push({ key: crypto.randomBytes(chance.below(40)), value: crypto.randomBytes(chance.below(40)) })
    }
  }
  return list
}

function flipped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return fromLatin1('x')
  const copy = Uint8Array.from(bytes)
  const at = chance.below(copy.length)
  copy[at] = (copy[at] as number) ^ (1 << chance.below(8))
  return copy
}

/** Entries as a version that signs them, whatever they are; in the place of the one that they were of. */
function signed(entries: readonly Entry[], { version }: Parcel, signer: Signer): Entry[] {
  const subjects = new Map<string, Map<string, Entry>>()
  const others: Entry[] = []
  for (const entry of entries) {
    const subject = subjectOf(entry)
    if (subject === undefined || 'VG'.includes(toLatin1(entry.key, 0, 1))) {
      if (entry.key[0] === 'K'.charCodeAt(0)) others.push(entry)
      continue
    }
    const own = subjects.get(subject) ?? new Map<string, Entry>()
    subjects.set(subject, own.set(toLatin1(entry.key), entry))
  }
  const groups = sortGroups(
    [...subjects].map(([name, own]) =>
      groupOf(
        name,
        [...own.values()].sort((a, b) => compareBytes(a.key, b.key)),
      ),
    ),
  )
  const header = encodeHeader({ ...version, changes: fromLatin1(changesRoot(groups)) })
  const value = encodeVersion(header, signer.sign(crypto.sha256(header)))
  const { last, stream } = decodeVersion(value)
  return [
    ...others,
    ...[...subjects.values()].flatMap((own) => [...own.values()]),
    ...(groups.length === 0 ? [] : [{ key: groupsKey(last, stream), value: encodeGroups(groups) }]),
    { key: versionKey(last, stream), value },
  ]
}

function subjectOf({ key }: Entry): string | undefined {
  try {
    return toLatin1(key, 0, subjectLength(key))
  } catch {
    return undefined
  }
}
