/**
 * Changes taken from one place to another: picked, reverted, shelved. What they come to, who is named for the lines, and
 * that undo gives back the same bytes and modes.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodeUtf8, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { composeVersion } from '../src/history/compose.js'
import type { Extra } from '../src/history/extra.js'
import { refOf, type VersionRef } from '../src/history/header.js'
import { sourcesExtra, sourcesOf } from '../src/history/sources.js'
import {
  commit,
  dropShelf,
  merge,
  pick,
  Repository,
  resolveConflicts,
  restorePaths,
  revert,
  shelve,
  shelves,
  switchTo,
  undo,
  unshelve,
  Worktree,
} from '../src/index.js'
import type { Entry } from '../src/lseq/batch.js'
import { EntryStore } from '../src/lseq/entries.js'
import { openLevelStore } from '../src/lseq/level.js'
import { lseqOfKey } from '../src/lseq/lseq.js'
import { storePath, writeHead } from '../src/repo/layout.js'
import { AUTHOR, Playground, someText } from './support/playground.js'
import { random } from './support/random.js'
import { temporary } from './support/temp.js'
import { HOME, weft, weftFails, weftJson } from './support/weft.js'

const chance = random('picks and shelves')

const ANA = { name: 'Ana', email: 'ana@example.org' }
const BEN = { name: 'Ben', email: 'ben@example.org' }

function lines(words: string): string {
  return `${words.split(' ').join('\n')}\n`
}

/** Who is named for each line. */
async function blame(play: Playground, path: string): Promise<string> {
  return (await play.repo.blame(path)).lines.map(({ author, text }) => `${author.name}:${text}`).join(' ')
}

/** `main` with a file, and `topic` on which Ana changed it. @returns The ids of her versions. */
async function withTopic(play: Playground, texts: readonly string[], base = 'a b c d e f g'): Promise<string[]> {
  play.write({ file: lines(base) })
  await play.commit('base', AUTHOR)
  await switchTo(play.work, { create: 'topic' })
  const made: string[] = []
  for (const text of texts) {
    play.write({ file: lines(text) })
    made.push(await play.commit(`Make it ${text}`, ANA))
  }
  await switchTo(play.work, { to: 'main' })
  return made
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const value of values) list.push(value)
  return list
}

const assertSound = async (play: Playground): Promise<void> => {
  assert.deepEqual((await play.repo.verify()).damage, [])
}

/** What another replica has that was sent the version the work tree stands on, and nothing else. */
async function replicaOf(play: Playground): Promise<Repository> {
  const { repo, work } = play
  const { base } = work.index
  assert.ok(base)
  const vector = await repo.versions.vectorOf(base)
  const { streams } = repo.versions
  const kept: Entry[] = []
  for await (const batch of repo.entries.scan()) {
    for (let i = 0; i < batch.count; i++) {
      const key = Uint8Array.from(batch.key(i))
      const { seq, stream } = lseqOfKey(key)
      const slot = streams.slot(stream)
      const isGenesis = key[0] === 'K'.charCodeAt(0)
      const isCovered = isGenesis ? stream === 0 || vector.seqAt(slot) > 0 : vector.covers(slot, seq)
      if (isCovered) kept.push({ key, value: Uint8Array.from(batch.value(i)) })
    }
  }
  const root = temporary('replica')
  mkdirSync(join(root, '.weft'))
  {
    await using store = await openLevelStore(storePath(root), { create: true })
    await new EntryStore(store).put(kept, {
      operations: [{ type: 'put', key: encodeUtf8('mformat'), value: encodeUtf8('1') }],
    })
  }
  await writeHead(root, { branch: undefined, version: toHex(base.id) })
  return Repository.open(root, { home: HOME })
}

describe('weft pick', () => {
  it('takes one change of several, and blame names who first put the lines', async () => {
    await using play = await Playground.begin()
    const [, second = ''] = await withTopic(play, ['a A b c d e f g', 'a A b c d e F1 F2 f g'])
    play.write({ file: lines('a b c d x e f g') })
    await play.commit('mine', BEN)
    const report = await pick(play.work, { author: BEN, versions: [second] })
    assert.equal(await blame(play, 'file'), 'Ada:a Ada:b Ada:c Ada:d Ben:x Ada:e Ana:F1 Ana:F2 Ada:f Ada:g')
    const [picked] = report.picked
    const made = await play.repo.show(picked?.version ?? '')
    assert.deepEqual(
      [made.author.name, made.committer.name, made.message],
      ['Ana', 'Ben', 'Make it a A b c d e F1 F2 f g\n'],
    )
    assert.deepEqual(play.work.scan().changes, [])
    await assertSound(play)
    await play.undo()
    assert.equal(toLatin1(await play.repo.read('file')), lines('a b c d x e f g'))
    assert.deepEqual(play.work.scan().changes, [])
  })

  it('lands where the file is now, brings new files with their ids, and merges with the branch later', async () => {
    await using play = await Playground.begin()
    const [first = ''] = await withTopic(play, ['a A b c d e f g'])
    await switchTo(play.work, { to: 'topic' })
    play.write({ 'dir/new': lines('n o') })
    const second = await play.commit('new', ANA)
    const { 'dir/new': id } = play.ids()
    await switchTo(play.work, { to: 'main' })
    play.write({ file: undefined, moved: lines('a b c d e f g') })
    await play.commit('move', BEN)
    await pick(play.work, { author: BEN, versions: [first, second] })
    assert.equal(await blame(play, 'moved'), 'Ada:a Ana:A Ada:b Ada:c Ada:d Ada:e Ada:f Ada:g')
    assert.equal(await blame(play, 'dir/new'), 'Ana:n Ana:o')
    assert.equal(play.ids()['dir/new'], id)
    await assert.rejects(pick(play.work, { author: BEN, versions: [first] }), { code: 'NOTHING_TO_PICK' })
    const merged = await merge(play.work, { author: BEN, version: 'topic' })
    assert.deepEqual([merged.kind, merged.conflicts], ['merged', []])
    assert.equal(await blame(play, 'moved'), 'Ada:a Ana:A Ada:b Ada:c Ada:d Ada:e Ada:f Ada:g')
    await assertSound(play)
  })

  it('leaves conflicts as data, and a commit ends it with author, message and origins', async () => {
    await using play = await Playground.begin()
    const [first = '', second = ''] = await withTopic(play, ['a b C1 C2 d e f g', 'a b C1 C2 d e f g h'])
    play.write({ file: lines('a b mine d e f g') })
    await play.commit('mine', BEN)
    const before = play.disk()
    const report = await pick(play.work, { author: BEN, versions: [first, second] })
    assert.deepEqual([report.conflicts.length, report.left], [1, [second]])
    await assert.rejects(pick(play.work, { author: BEN, versions: [second] }), { code: 'MERGE_UNDER_WAY' })
    await assert.rejects(commit(play.work, { author: BEN, message: '' }), { code: 'CONFLICTS_LEFT' })
    play.write({ file: lines('a b mine C2 d e f g') })
    await resolveConflicts(play.work, {})
    const { version } = await commit(play.work, { author: BEN, message: '' })
    const { author, message } = await play.repo.show(version)
    assert.deepEqual([author.name, message], ['Ana', 'Make it a b C1 C2 d e f g\n'])
    assert.equal(await blame(play, 'file'), 'Ada:a Ada:b Ben:mine Ana:C2 Ada:d Ada:e Ada:f Ada:g')
    assert.deepEqual(play.work.state, {})
    await assertSound(play)
    await undo(play.work, 2)
    // What was edited by hand since is not thrown away unasked.
    await assert.rejects(undo(play.work), { code: 'WOULD_LOSE' })
    await undo(play.work, 1, true)
    assert.deepEqual([play.disk(), play.work.state], [before, {}])
  })

  it('without commit leaves the change to the next version, which still knows whose lines they are', async () => {
    await using play = await Playground.begin()
    const [first = ''] = await withTopic(play, ['a A b c d e f g'])
    const report = await pick(play.work, { author: BEN, versions: [first], noCommit: true })
    assert.equal(report.picked[0]?.version, undefined)
    await play.commit('by hand', BEN)
    assert.equal(await blame(play, 'file'), 'Ada:a Ana:A Ada:b Ada:c Ada:d Ada:e Ada:f Ada:g')
    await assertSound(play)
  })

  it('refuses where unsaved changes would be lost, and leaves others alone', async () => {
    await using play = await Playground.begin()
    const [first = ''] = await withTopic(play, ['a A b c d e f g'])
    play.write({ file: lines('a b c d e f g unsaved'), café: 'unsaved\n' })
    const before = play.disk()
    await assert.rejects(pick(play.work, { author: BEN, versions: [first] }), { code: 'WOULD_LOSE' })
    assert.deepEqual(play.disk(), before)
    play.write({ file: lines('a b c d e f g') })
    const { carried } = await pick(play.work, { author: BEN, versions: [first] })
    assert.deepEqual(carried, ['café'])
    assert.equal(play.disk()[Buffer.from('café').toString('latin1')], '100644 unsaved\n')
  })

  it('is sound for a replica that was never sent what was picked; its lines then are those of the pick', async () => {
    await using play = await Playground.begin()
    const [first = ''] = await withTopic(play, ['a A b c d e f g'])
    await switchTo(play.work, { to: 'topic' })
    play.write({ new: lines('n o') })
    const second = await play.commit('new', ANA)
    await switchTo(play.work, { to: 'main' })
    await pick(play.work, { author: BEN, versions: [first, second] })
    play.write({ new: lines('n more o') })
    await play.commit('more', BEN)
    await using replica = await replicaOf(play)
    const report = await replica.verify()
    assert.deepEqual(report.damage, [])
    assert.equal(report.versions, 4)
    // Those that were picked have the author of the pick, who is the author of what was picked.
    for (const [path, wanted] of [
      ['file', 'Ada:a Ana:A Ada:b Ada:c Ada:d Ada:e Ada:f Ada:g'],
      ['new', 'Ana:n Ben:more Ana:o'],
    ] as const) {
      const { lines: blamed } = await replica.blame(path)
      assert.equal(blamed.map(({ author, text }) => `${author.name}:${text}`).join(' '), wanted)
      for (const { version } of blamed) assert.ok(version !== first && version !== second)
      assert.ok((await all(replica.log({ path }))).length >= 2)
    }
    for (const history of [false, true]) {
      const found = await all(replica.grep(/^[Ano]$/, { history }))
      assert.deepEqual(found.map(({ text }) => text).sort(), ['A', 'n', 'o'])
      for (const { put } of found) assert.ok(put.version !== first && put.version !== second)
    }
    // One can go on from there.
    const work = await Worktree.open(replica)
    await restorePaths(work, { paths: [''] })
    writeFileSync(join(replica.root, 'new'), lines('n more o p'))
    await commit(work, { message: 'there', author: BEN })
    assert.equal((await replica.blame('new')).lines.length, 4)
    assert.deepEqual((await replica.verify()).damage, [])
  })
})

describe('sources', () => {
  /** A version that puts a line of `topic` again, as `sources` and the extra say; whether verify believes the origins. */
  async function isBelieved(extra: (picked: VersionRef, other: VersionRef) => Extra[], text = 'a A b c d e f g') {
    await using play = await Playground.begin()
    const [first = ''] = await withTopic(play, ['a A b c d e f g'])
    const { entries, versions } = play.repo
    const { version } = await play.repo.resolve(first)
    const base = play.work.index.base as VersionRef
    const tracked = play.work.index.get('file')
    assert.ok(version && tracked)
    const picked = refOf(version)
    const joined = await versions.vectorOf(base)
    const composed = await composeVersion(
      { entries, streams: versions.streams, ...(await play.repo.writer()) },
      {
        parents: [base],
        vectors: [joined],
        joined,
        sources: [await versions.vectorOf(picked)],
        tree: play.work.index.treeFor(['file']),
        writes: [
          { path: 'file', put: { mode: 0o100644, file: tracked.file, content: async () => fromLatin1(lines(text)) } },
        ],
        author: version.author,
        committer: version.author,
        message: new Uint8Array(0),
        extra: extra(picked, base),
      },
    )
    await entries.put(composed.entries)
    const { damage } = await play.repo.verify()
    return damage.map(({ kind }) => kind)
  }

  it('are what makes the origins of picked lines believable', async () => {
    assert.deepEqual(await isBelieved((picked) => [sourcesExtra([picked])]), [])
    assert.deepEqual(await isBelieved(() => []), ['origin'])
    assert.deepEqual(await isBelieved((_, base) => [sourcesExtra([base])]), ['origin'])
  })

  it('must be older, and what they are called', async () => {
    const refused = async (extra: Parameters<typeof isBelieved>[0]) => (await isBelieved(extra))[0]
    // By another id it is another one, which is not here.
    assert.equal(await refused((picked) => [sourcesExtra([{ ...picked, id: new Uint8Array(32) }])]), undefined)
    assert.equal(await refused((picked) => [sourcesExtra([{ ...picked, seq: 1 << 20 }])]), 'chain')
    assert.equal(await refused(() => [{ name: 'sources', value: new Uint8Array(39) }]), 'version')
  })

  it('are read back as they were written', () => {
    const sources = [1, 2].map((seq) => ({ seq, stream: seq + 5, id: new Uint8Array(32).fill(seq) }))
    assert.deepEqual(sourcesOf({ extra: [sourcesExtra(sources)] }), sources)
    assert.deepEqual(sourcesOf({ extra: [] }), [])
    for (const length of [0, 39, 41]) {
      const extra = [{ name: 'sources', value: new Uint8Array(length) }]
      assert.throws(() => sourcesOf({ extra }), { code: 'BAD_RECORD' })
    }
  })
})

describe('weft revert', () => {
  it('takes back one change of several, and lines that come back are those they were', async () => {
    await using play = await Playground.begin()
    play.write({ file: lines('a b c d e f g h i') })
    await play.commit('base', AUTHOR)
    play.write({ file: lines('a d e f g h i'), new: 'n\n' })
    const second = await play.commit('Take out\n\nand more', ANA)
    play.write({ file: lines('a d e f g h i j') })
    await play.commit('more', BEN)
    const { picked } = await revert(play.work, { author: BEN, versions: [second] })
    assert.equal(await blame(play, 'file'), 'Ada:a Ada:b Ada:c Ada:d Ada:e Ada:f Ada:g Ada:h Ada:i Ben:j')
    assert.deepEqual(Object.keys(play.disk()), ['file'])
    const { message, author } = await play.repo.show(picked[0]?.version ?? '')
    assert.deepEqual([message, author.name], [`Revert "Take out"\n\nThis takes back the version ${second}.\n`, 'Ben'])
    await assert.rejects(revert(play.work, { author: BEN, versions: [second] }), { code: 'NOTHING_TO_PICK' })
    await revert(play.work, { author: BEN, versions: [picked[0]?.version ?? ''] })
    assert.deepEqual(Object.keys(play.disk()), ['file', 'new'])
    await assertSound(play)
  })

  it('takes back the first version of all', async () => {
    await using play = await Playground.begin()
    play.write({ a: 'a\n' })
    const first = await play.commit('first', AUTHOR)
    play.write({ b: 'b\n' })
    await play.commit('second', AUTHOR)
    await revert(play.work, { author: BEN, versions: [first] })
    assert.deepEqual(Object.keys(play.disk()), ['b'])
    await assertSound(play)
  })
})

describe('weft shelve', () => {
  const PATHS = ['a', 'b', 'dir/a', 'dir/deep/b', 'caf\xe9', 'x']

  for (let round = 1; round <= 12; round++) {
    it(`gives back the very bytes and modes: ${round}`, async () => {
      const said = `seed ${chance.seed}, round ${round}`
      await using play = await Playground.begin()
      play.write({ '.gitignore': 'ign\n', first: someText(chance), ign: 'ignored\n' })
      play.disturb(chance, PATHS)
      if (round % 4 > 0) await play.commit()
      const clean = play.disk()
      play.disturb(chance, [...PATHS, 'new', 'dir/new'])
      play.write({ [chance.below(2) === 0 ? 'first' : 'fresh']: undefined, certain: someText(chance) })
      const unsaved = play.disk()
      await shelve(play.work, { author: AUTHOR })
      if (round % 4 > 0) assert.deepEqual(play.disk(), clean, said)
      else assert.deepEqual(Object.keys(play.disk()), ['ign'], said)
      assert.equal(shelves(play.work.state).length, 1)
      const { conflicts, failures } = await unshelve(play.work)
      assert.deepEqual([conflicts, failures], [[], []], said)
      assert.deepEqual(play.disk(), unsaved, said)
      assert.deepEqual(play.work.state.shelves, undefined)
      await play.undo()
      await play.undo()
      assert.deepEqual(play.disk(), unsaved, said)
      await play.commit()
      await assertSound(play)
    })
  }

  it('brings changes onto another version, by line, with renames, and reports conflicts', async () => {
    await using play = await Playground.begin()
    const { work } = play
    play.write({ file: lines('a b c d e f g'), old: lines('o p q r s t') })
    await play.commit('base', AUTHOR)
    const { old: id } = play.ids()
    play.write({ file: lines('a A b c d e f g'), old: undefined, moved: lines('o p q r s t u') })
    await shelve(work, { author: AUTHOR, message: 'half done' })
    play.write({ file: lines('a b c d e f G'), old: lines('n o p q r s t') })
    await play.commit('meanwhile', BEN)
    const report = await unshelve(work)
    assert.deepEqual([report.conflicts, report.shelf.message], [[], 'half done'])
    assert.equal(play.disk()['file'], `100644 ${lines('a A b c d e f G')}`)
    assert.equal(play.disk()['moved'], `100644 ${lines('n o p q r s t u')}`)
    await play.commit('done', AUTHOR)
    assert.equal(play.ids()['moved'], id)

    play.write({ file: lines('mine') })
    await shelve(work, { author: AUTHOR })
    play.write({ file: lines('theirs') })
    await play.commit('other', BEN)
    const { conflicts } = await unshelve(work)
    assert.equal(conflicts.length, 1)
    await assert.rejects(commit(work, { author: AUTHOR, message: 'x' }), { code: 'CONFLICTS_LEFT' })
    await resolveConflicts(work, { take: 'theirs' })
    assert.equal(play.disk()['file'], `100644 ${lines('mine')}`)
    await play.commit('mine', AUTHOR)
    await assertSound(play)
  })

  it('takes some paths, keeps several, drops one, and refuses to lose anything', async () => {
    await using play = await Playground.begin()
    const { work } = play
    play.write({ a: 'a\n', b: 'b\n' })
    await play.commit()
    play.write({ a: 'a, unsaved\n', b: 'b, unsaved\n' })
    await shelve(work, { author: AUTHOR, paths: ['a'], message: 'a' })
    assert.equal(play.disk()['b'], '100644 b, unsaved\n')
    await shelve(work, { author: AUTHOR, message: 'b' })
    await assert.rejects(shelve(work, { author: AUTHOR }), { code: 'NOTHING_TO_SHELVE' })
    assert.deepEqual(
      shelves(work.state).map(({ n, message }) => [n, message]),
      [
        [1, 'b'],
        [2, 'a'],
      ],
    )
    play.write({ a: 'a, again\n' })
    await assert.rejects(unshelve(work, 2), { code: 'WOULD_LOSE' })
    await assert.rejects(unshelve(work, 3), { code: 'SHELF_UNKNOWN' })
    await unshelve(work, 1)
    assert.equal(play.disk()['b'], '100644 b, unsaved\n')
    await dropShelf(work, 1)
    assert.deepEqual(shelves(work.state), [])
    await play.undo()
    assert.deepEqual(
      shelves(work.state).map(({ message }) => message),
      ['a'],
    )
  })

  it('leaves the streams of the branches alone', async () => {
    await using play = await Playground.begin()
    play.write({ a: 'a\n' })
    await play.commit()
    for (let i = 0; i < 3; i++) {
      play.write({ a: `${i}\n` })
      await shelve(play.work, { author: AUTHOR })
      play.write({ b: `${i}\n` })
      await play.commit()
    }
    const { base } = play.work.index
    assert.ok(base)
    assert.equal([...(await play.repo.versions.vectorOf(base)).entries()].length, 1)
  })
})

describe('the commands', () => {
  it('say what they did', async () => {
    await using play = await Playground.begin('told')
    const [first = ''] = await withTopic(play, ['a b c D e f g'])
    await play.repo[Symbol.asyncDispose]()
    const options = { cwd: play.root, env: { WEFT_AUTHOR_NAME: 'Ben', WEFT_AUTHOR_EMAIL: 'ben@example.org' } }
    const said = async (...args: string[]) => {
      const { status, stdout, stderr } = await weft(args, options)
      assert.equal(status, 0, stderr)
      return stdout.toString()
    }
    const short = first.slice(0, 12)
    assert.match(await said('pick', short), new RegExp(`^main [0-9a-f]{12} Picked ${short}: Make it a b c D e f g\n$`))
    assert.match(
      await said('revert', 'main'),
      /^main [0-9a-f]{12} Reverted [0-9a-f]{12}: Revert "Make it a b c D e f g"\n$/,
    )
    assert.equal((await weftFails(['pick', 'nonsense'], options)).code, 'V_UNKNOWN')
    assert.equal((await weftFails(['pick'], options)).code, 'USAGE')
    assert.equal((await weftFails(['unshelve'], options)).code, 'SHELF_UNKNOWN')
    play.write({ file: lines('a b c mine e f g') })
    assert.match(await said('shelve', '-m', 'mine'), /^Put aside 1 changed file: mine\n/)
    assert.match(await said('shelve', '--list'), /^ {2}1 {2}[0-9a-f]{12} {2}.* {2}mine\n$/)
    assert.match(await said('status'), /^Put aside: 1 shelf \(weft unshelve, /m)
    assert.match(await said('unshelve'), /^Brought back: mine \(1 file changed\)\n$/)
    await said('commit', '-m', 'mine')
    const { status, stdout } = await weft(['pick', short], options)
    assert.equal(status, 1)
    assert.match(stdout.toString(), /conflict file: both sides changed the same lines/)
    const { conflicts } = await weftJson<{ conflicts: unknown[] }>(['status'], options)
    assert.equal(conflicts.length, 1)
    assert.match(await said('undo'), /^Undone: pick/)
  })
})
