/**
 * Repair: whatever is damaged, in entries, pages or LevelDB's files, is as it was after a repair from somebody who has it, to
 * the byte, and nothing else has changed; and somebody who lies changes nothing.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { defaultCrypto } from '../src/crypto/default.js'
import { decodeVersion, encodeHeader, encodeVersion } from '../src/history/header.js'
import { importGit, openIdentity } from '../src/index.js'
import { openLevelStore } from '../src/lseq/level.js'
import { openPage } from '../src/lseq/page.js'
import { Repository } from '../src/repo/repository.js'
import { BundlePeer } from '../src/sync/bundle-peer.js'
import { makeBundle } from '../src/sync/make-bundle.js'
import { type RepairReport, repairRepository } from '../src/sync/repair.js'
import { createTag } from '../src/worktree/branches.js'
import { fixture } from './support/corpus.js'
import { random } from './support/random.js'
import { cloneOf, peerOf } from './support/replicas.js'
import { Entries, flipped, KINDS, type Place, pick } from './support/tamper.js'
import { nowhere, quick } from './support/temp.js'
import { HOME, weft, weftJson } from './support/weft.js'
import { BINARY, committing, edit, withWork } from './support/work-repo.js'

const chance = random('repair')

const LOOSE = 'e'.charCodeAt(0)
const PAGE = 'p'.charCodeAt(0)

/** A repository with pages and loose entries, and a replica of it. */
let whole: string
let healthy: string
/** What is stored in it: entries and pages, by the store's key. */
let stored: Map<string, Buffer>
let places: readonly Place[]

before(async () => {
  const imported = nowhere('imported')
  await importGit({ source: fixture('oddities'), dir: imported, identity: await openIdentity(HOME) })
  whole = await cloneOf(imported)
  edit(whole, { 'loose/a.txt': 'one\ntwo\nthree\n', 'loose/b.dat': BINARY })
  await withWork(whole, committing('first'))
  edit(whole, { 'loose/a.txt': 'one\n2\nthree\n' })
  await withWork(whole, committing('second'))
  await withWork(whole, (work) => createTag(work, 'v1', {}))
  healthy = await cloneOf(whole)
  stored = await storedIn(whole)
  await using entries = await Entries.open(storeIn(whole))
  places = entries.all
})

const storeIn = (root: string): string => join(root, '.weft', 'store')

async function storedIn(root: string): Promise<Map<string, Buffer>> {
  await using store = await openLevelStore(storeIn(root), { create: false })
  const found = new Map<string, Buffer>()
  for await (const pairs of store.scan()) {
    for (const [key, value] of pairs) {
      if (key[0] === LOOSE || key[0] === PAGE) found.set(Buffer.from(key).toString('latin1'), Buffer.from(value))
    }
  }
  return found
}

/** Every entry that a store's content has, by its full key. */
function entriesOf(content: ReadonlyMap<string, Buffer>): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of content) {
    if (key.charCodeAt(0) === LOOSE) found.set(key.slice(1), value.toString('latin1'))
    else for (const entry of openPage(value).unpack()) found.set(text(entry.key), text(entry.value))
  }
  return found
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** A copy without its files, which repair has nothing to do with. */
function copy(of = whole): string {
  const root = quick('copy')
  cpSync(join(of, '.weft'), join(root, '.weft'), { recursive: true })
  return root
}

type Change = [place: Place, change: (entries: Entries, place: Place) => Promise<unknown>]

/** A copy in which something was done to some entries, one after the other. */
async function spoilt(...changes: readonly Change[]): Promise<string> {
  const root = copy()
  for (const [place, change] of changes) {
    await using entries = await Entries.open(storeIn(root))
    // The page it was in may have another key by now.
    await change(entries, entries.all.find(({ key }) => text(key) === text(place.key)) as Place)
  }
  return root
}

function repair(root: string, from = healthy): Promise<RepairReport> {
  return repairRepository(root, peerOf(from), { home: HOME })
}

/** All is as it was: entries to the byte, and all keys of the store but those that `may` be others. */
async function assertMended(
  root: string,
  report: RepairReport,
  what: string,
  may: (key: string) => boolean,
): Promise<void> {
  const said = `${what}, seed ${chance.seed}`
  assert.ok(report.damage.length > 0, `no damage: ${said}`)
  assert.deepEqual(report.after.damage, [], said)
  const now = await storedIn(root)
  assert.deepEqual([...entriesOf(now)].sort(), [...entriesOf(stored)].sort(), said)
  for (const [key, value] of stored) {
    if (!may(key)) assert.ok(now.get(key)?.equals(value) === true, `${JSON.stringify(key)} was touched: ${said}`)
  }
}

/** What may change when entries at these places were damaged: their pages, and they. */
function at(...changed: readonly Place[]): (key: string) => boolean {
  const keys = new Set(changed.map(({ key, page }) => (page === undefined ? `e${text(key)}` : text(page))))
  return (key) => keys.has(key)
}

function told({ key, page }: Place): string {
  return `${page ? 'paged' : 'loose'} ${JSON.stringify(text(key))}`
}

describe('repair of entries', () => {
  it('does nothing where nothing is damaged', async () => {
    const root = copy()
    const report = await repair(root)
    assert.deepEqual([report.damage, report.fetched, report.after.ok], [[], [], true])
    assert.deepEqual(await storedIn(root), stored)
  })

  for (const [kind, word] of Object.entries(KINDS)) {
    const of = (): Place[] => places.filter((place) => place.kind === kind && place.value.length > 0)

    it(`${word}: changed, under another key, gone`, async () => {
      const changed = pick(of(), chance)
      const others = of().filter((place) => place !== changed)
      const moved = pick(others, chance)
      const gone = pick(
        others.filter((place) => place !== moved),
        chance,
      )
      const key = flipped(moved.key, chance)
      const root = await spoilt(
        [changed, (entries, place) => entries.setValue(place, flipped(place.value, chance))],
        [moved, (entries, place) => entries.setKey(place, key)],
        [gone, (entries, place) => entries.remove(place)],
      )
      const said = `${told(changed)}, ${told(moved)} as ${JSON.stringify(text(key))}, ${told(gone)}`
      await assertMended(root, await repair(root), said, at(changed, moved, gone))
    })
  }

  it("the repository's own genesis", async () => {
    const place = places.find(({ kind, key }) => kind === 'K' && key.subarray(1).every((byte) => byte === 0)) as Place
    const changes: Change[] = [
      [place, (entries, one) => entries.remove(one)],
      [place, (entries, one) => entries.setValue(one, flipped(one.value, chance))],
    ]
    for (const change of changes) {
      const root = await spoilt(change)
      await assertMended(root, await repair(root), told(place), at(place))
    }
  })

  it('many at once', async () => {
    for (let round = 0; round < 2; round++) {
      const some = [...new Set(Array.from({ length: 12 }, () => pick(places, chance)))]
      const root = await spoilt(...some.map((place): Change => [place, (entries, one) => entries.remove(one)]))
      await assertMended(root, await repair(root), some.map(told).join('; '), at(...some))
    }
  })
})

describe('repair of pages', () => {
  const pages = (): string[] => [...stored.keys()].filter((key) => key.charCodeAt(0) === PAGE)

  async function flip(root: string, keys: readonly string[]): Promise<void> {
    await using store = await openLevelStore(storeIn(root), { create: false })
    for (const key of keys) {
      const value = flipped(stored.get(key) as Buffer, chance)
      await store.batch([{ type: 'put', key: Buffer.from(key, 'latin1'), value }])
    }
  }

  it('each by itself', async () => {
    for (const key of pages()) {
      const root = copy()
      await flip(root, [key])
      await assertMended(root, await repair(root), `page ${JSON.stringify(key)}`, (one) => one === key)
    }
  })

  it('several, and all', async () => {
    for (const some of [pages().filter(() => chance.below(2) === 0), pages()]) {
      if (some.length === 0) continue
      const root = copy()
      await flip(root, some)
      await assertMended(root, await repair(root), some.join(' '), (key) => some.includes(key))
    }
  })

  it('from a bundle', async () => {
    const path = join(quick('bundle'), 'all.weft')
    {
      await using repo = await Repository.open(healthy, { home: HOME })
      await makeBundle(repo, path, { home: HOME })
    }
    const root = copy()
    const key = pick(pages(), chance)
    await flip(root, [key])
    const report = await repairRepository(root, new BundlePeer(path), { home: HOME })
    await assertMended(root, report, `page ${JSON.stringify(key)}`, (one) => one === key)
  })
})

describe('repair of files', () => {
  /** Entries are what counts here: the new store has its own pages. */
  async function assertRebuilt(root: string, report: RepairReport, what: string): Promise<void> {
    const said = `${what}, seed ${chance.seed}`
    assert.deepEqual(report.after.damage, [], said)
    const [now, then] = [entriesOf(await storedIn(root)), entriesOf(stored)]
    for (const [key, value] of then) assert.ok(now.get(key) === value, `${JSON.stringify(key)}: ${said}`)
    assert.equal(now.size, then.size, said)
  }

  it('of a bit in any of them', async () => {
    const names = readdirSync(storeIn(whole)).filter((name) => /\.ldb$|\.log$|^MANIFEST|^CURRENT/.test(name))
    for (let round = 0; round < 8; round++) {
      const root = copy()
      const name = round < names.length ? (names[round] as string) : pick(names, chance)
      const path = join(storeIn(root), name)
      const bytes = readFileSync(path)
      if (bytes.length === 0) continue
      writeFileSync(path, flipped(bytes, chance))
      const report = await repair(root)
      // A bit at the end of a log is a write that was cut short, and no damage to anybody but who waits for it.
      await assertRebuilt(root, report, `${name} of ${names.join(' ')}`)
      if (report.kept !== undefined) assert.ok(existsSync(join(report.kept, name)), 'the damaged store is kept')
    }
  })

  it('of one that is gone or cut off', async () => {
    for (const name of readdirSync(storeIn(whole)).filter((one) => /\.ldb$|\.log$|^MANIFEST|^CURRENT/.test(one))) {
      for (const change of [
        (path: string) => rmSync(path),
        (path: string) => writeFileSync(path, readFileSync(path).subarray(0, readFileSync(path).length >> 1)),
      ]) {
        const root = copy()
        change(join(storeIn(root), name))
        await assertRebuilt(root, await repair(root), name)
      }
    }
  })
})

describe('a peer that is no help', () => {
  it('that lies changes nothing, and what is damaged stays told', async () => {
    for (const kind of ['V', 'G', 'P', 'L', 'N', 'K', 'R']) {
      const place = pick(
        places.filter((one) => one.kind === kind && one.value.length > 0),
        chance,
      )
      const root = await spoilt([place, (entries, one) => entries.setValue(one, flipped(one.value, chance))])
      const before = entriesOf(await storedIn(root))
      const liar = copy(healthy)
      {
        await using entries = await Entries.open(storeIn(liar))
        const same = entries.all.find(({ key }) => text(key) === text(place.key)) as Place
        await entries.setValue(same, flipped(same.value, chance))
      }
      const report = await repair(root, liar).catch((error: { code?: string }) => error.code)
      const said = `${told(place)}: ${JSON.stringify(report)}, seed ${chance.seed}`
      // A list of groups is made again here, from what is right.
      const isMended = typeof report === 'object' && report.after.ok
      assert.equal(isMended, kind === 'G', said)
      const right = entriesOf(stored)
      for (const [key, value] of entriesOf(await storedIn(root))) {
        assert.ok(right.get(key) === value || before.get(key) === value, `${JSON.stringify(key)} is a lie: ${said}`)
      }
    }
  })

  it('that has the key gets nothing past what is signed here', async () => {
    const { signer } = await openIdentity(HOME)
    // One that others stand on, one that only a name stands at, and the names' own.
    const versions = places.filter(({ kind }) => kind === 'V')
    const own = versions.slice(-6)
    for (const place of [versions[4] as Place, ...own.slice(0, -1)]) {
      const version = decodeVersion(place.value)
      const header = encodeHeader({ ...version, author: { ...version.author, name: Buffer.from('never seen') } })
      const forged = encodeVersion(header, signer.sign(defaultCrypto.sha256(header)))
      const liar = copy(healthy)
      {
        await using entries = await Entries.open(storeIn(liar))
        const same = entries.all.find(({ key }) => text(key) === text(place.key)) as Place
        await entries.setValue(same, forged)
      }
      const root = await spoilt([place, (entries, one) => entries.remove(one)])
      const report = await repair(root, liar).catch((error: { code?: string }) => error.code)
      assert.ok(typeof report !== 'object' || !report.after.ok, `${told(place)}, seed ${chance.seed}`)
      assert.ok(typeof report !== 'object' || report.others.length === 1, `${told(place)}: it is told that it differs`)
      const values = [...entriesOf(await storedIn(root)).values()]
      assert.ok(!values.includes(text(forged)), `${told(place)}, seed ${chance.seed}`)
    }
  })

  it('that lacks it leaves it, and says so', async () => {
    const imported = nowhere('imported')
    await importGit({ source: fixture('oddities'), dir: imported, identity: await openIdentity(HOME) })
    const root = await cloneOf(imported)
    const poor = await cloneOf(root)
    edit(root, { 'new.txt': 'new\n' })
    await withWork(root, committing('nobody has this'))
    const had = entriesOf(await storedIn(root))
    await using entries = await Entries.open(storeIn(root))
    const place = entries.all.find(({ value }) => text(value) === 'new\n') as Place
    await entries.setValue(place, Buffer.from('old\n'))
    await entries[Symbol.asyncDispose]()
    const report = await repair(root, poor)
    assert.equal(report.after.ok, false)
    assert.equal(report.left.length, 1)
    assert.deepEqual(report.fetched, [])
    const now = entriesOf(await storedIn(root))
    assert.equal(now.get(text(place.key)), 'old\n', 'nothing was thrown away')
    assert.equal(now.size, had.size)
  })

  it('of another repository is refused', async () => {
    const other = nowhere('other')
    await importGit({ source: fixture('small'), dir: other, identity: await openIdentity(HOME) })
    const place = pick(
      places.filter(({ kind }) => kind === 'P'),
      chance,
    )
    const root = await spoilt([place, (entries, one) => entries.remove(one)])
    const before = await storedIn(root)
    await assert.rejects(repair(root, other), { code: 'REPO_OTHER' })
    assert.deepEqual(await storedIn(root), before)
  })
})

describe('weft verify --repair', () => {
  it('mends, says what it did, and ends with the status of what is left', async () => {
    const place = pick(
      places.filter(({ kind }) => kind === 'P'),
      chance,
    )
    const root = await spoilt([place, (entries, one) => entries.remove(one)])
    assert.equal((await weft(['verify', '-C', root])).status, 3)
    const report = await weftJson<RepairReport>(['verify', '--repair', healthy, '-C', root])
    assert.deepEqual([report.after.ok, report.fetched.length, report.put, report.removed], [true, 1, 1, 0])
    assert.equal((await weft(['verify', '-C', root])).status, 0)

    rmSync(join(storeIn(root), 'CURRENT'))
    const outcome = await weft(['verify', '--repair', healthy, '-C', root])
    assert.equal(outcome.status, 0, outcome.stderr)
    assert.match(outcome.stdout.toString(), /A new store was made; the damaged one is kept in .*store\.damaged-1\./)
    assert.match(outcome.stdout.toString(), /Everything is as it was signed\.\n$/)
    assert.equal((await weft(['log', '-C', root])).status, 0)
  })
})
