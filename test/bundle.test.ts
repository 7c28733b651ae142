/**
 * Bundles: what one replica puts into a file, another one takes out of it; and a file that was cut, changed or made by
 * somebody who means harm does none.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { compareBytes, encodeUtf8 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { readRepositoryId } from '../src/history/genesis.js'
import { type Tip, Tips, tipOf } from '../src/history/published.js'
import { importGit, openIdentity } from '../src/index.js'
import { encodePageSync } from '../src/lseq/page.js'
import { encodeRecord } from '../src/rdx/tlv.js'
import { zipUint } from '../src/rdx/zip.js'
import { Repository } from '../src/repo/repository.js'
import { type BundleHead, decodeHead, encodeHead, openBundle, writeBundle } from '../src/sync/bundle-file.js'
import { bundleInfo } from '../src/sync/bundle-info.js'
import { BundlePeer } from '../src/sync/bundle-peer.js'
import { clone } from '../src/sync/clone.js'
import type { Call, Peer } from '../src/sync/exchange.js'
import { makeBundle } from '../src/sync/make-bundle.js'
import { type Missing, missing } from '../src/sync/missing.js'
import { sendVersions } from '../src/sync/send.js'
import { createTag } from '../src/worktree/branches.js'
import { initRepository } from '../src/worktree/init.js'
import { fixture } from './support/corpus.js'
import { golden } from './support/golden.js'
import { random } from './support/random.js'
import { randomHistory } from './support/random-history.js'
import { asking, cloneOf, entriesIn, peerOf, refsIn, wrapped } from './support/replicas.js'
import { nowhere, quick } from './support/temp.js'
import { HOME, ROOT, weft, weftFails, weftJson } from './support/weft.js'
import { committing, edit, withWork } from './support/work-repo.js'

const chance = random('bundle')

/** First byte of the store's keys of what a replica knows of itself and of others. */
const META = 'm'.charCodeAt(0)

async function repository(): Promise<string> {
  const root = quick('repo')
  await initRepository(root, 'main', { home: HOME })
  await change(root, 'a.txt', 'one\ntwo\nthree\n', 'first')
  return root
}

async function change(root: string, path: string, text: string, message = `write ${path}`): Promise<void> {
  edit(root, { [path]: text })
  await withWork(root, committing(message))
}

/** A bundle of the repository at `root`. */
async function bundleOf(root: string, since?: string): Promise<string> {
  const path = join(quick('bundle'), 'made.weft')
  await using repo = await Repository.open(root, { home: HOME })
  await makeBundle(repo, path, { since, home: HOME })
  return path
}

async function cloneFrom(peer: Peer): Promise<string> {
  const root = quick('clone')
  await clone(peer, { root })
  return root
}

/** All that is stored at `root` but for what it knows of itself and others: entries, and what is kept aside. */
async function storeOf(root: string): Promise<string[]> {
  await using repo = await Repository.open(root, { home: HOME })
  const found: string[] = []
  for await (const pairs of repo.entries.store.scan()) {
    for (const [key, value] of pairs) {
      if (key[0] === META) continue
      found.push(`${Buffer.from(key).toString('latin1')} ${Buffer.from(value).toString('hex')}`)
    }
  }
  return found
}

async function assertVerified(root: string): Promise<void> {
  await using repo = await Repository.open(root, { home: HOME })
  assert.deepEqual((await repo.verify()).damage, [])
}

const take = (root: string, path: string): ReturnType<typeof asking> => asking(root, new BundlePeer(path), 'pull')

/** A file with these frames behind its head, and a checksum that holds. */
function sealed(head: Uint8Array, ...frames: readonly Uint8Array[]): string {
  return resealed(Buffer.concat([encodeRecord('W', encodeUtf8('weft bundle\n')), encodeRecord('H', head), ...frames]))
}

/** A file of these bytes, and a checksum that holds. */
function resealed(bytes: Uint8Array): string {
  const path = join(quick('made'), 'made.weft')
  writeFileSync(path, Buffer.concat([bytes, encodeRecord('Z', createHash('sha256').update(bytes).digest())]))
  return path
}

/** The bytes of a bundle without its end. */
const body = (path: string): Buffer => readFileSync(path).subarray(0, -34)

describe('a bundle of everything', () => {
  it('can be cloned, and is not larger than the store', async () => {
    const dir = nowhere('imported')
    await importGit({ source: fixture('oddities'), dir, identity: await openIdentity(HOME) })
    const path = await bundleOf(dir)
    const root = await cloneFrom(new BundlePeer(path))
    assert.deepEqual(await entriesIn(root), await entriesIn(dir))
    assert.deepEqual(await refsIn(root), await refsIn(dir))
    await assertVerified(root)
    const store = join(dir, '.weft', 'store')
    const bytes = readdirSync(store).reduce((sum, name) => sum + readFileSync(join(store, name)).length, 0)
    assert.ok(readFileSync(path).length <= bytes, `${readFileSync(path).length} of ${bytes} bytes`)
  })

  it('can be cloned on from where that was cut off, by another way too', async () => {
    const dir = nowhere('imported')
    await importGit({ source: fixture('oddities'), dir, identity: await openIdentity(HOME) })
    await change(dir, 'loose', 'not in a page\n').catch(() => undefined)
    const path = await bundleOf(dir)
    const whole = await entriesIn(dir)
    for (const next of [new BundlePeer(path), peerOf(dir)]) {
      const root = quick('clone')
      const { length } = readFileSync(path)
      await assert.rejects(clone(wrapped(new BundlePeer(path), cutting(length >> 1)), { root }), /cut/)
      assert.ok(existsSync(join(root, '.weft', 'clone', 'state')))
      await clone(next, { root })
      assert.deepEqual(await entriesIn(root), whole)
    }
    const root = quick('clone')
    await assert.rejects(clone(wrapped(peerOf(dir), cutting(readFileSync(path).length >> 1)), { root }), /cut/)
    await clone(new BundlePeer(path), { root })
    assert.deepEqual(await entriesIn(root), whole)
  })

  it('brings a replica that has a part of it up to date', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'b.txt', 'b\n')
    const asked = await take(b, await bundleOf(a))
    assert.equal(asked.accepted.filter(({ kind }) => kind === 'content').length, 1)
    assert.deepEqual(await entriesIn(b), await entriesIn(a))
    await assertVerified(b)
  })
})

describe('a bundle of what is new', () => {
  it('brings just that, and applied twice nothing the second time', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await withWork(a, (work) => createTag(work, 'v1', {}))
    await change(a, 'b.txt', 'b\n')
    const path = await bundleOf(a, 'v1')
    const first = await take(b, path)
    assert.deepEqual([first.accepted.filter(({ kind }) => kind === 'content').length, first.refused], [1, []])
    assert.deepEqual(await entriesIn(b), await entriesIn(a))
    assert.deepEqual(await refsIn(b), await refsIn(a))
    const before = await storeOf(b)
    assert.deepEqual((await take(b, path)).accepted, [])
    assert.deepEqual(await storeOf(b), before)
    await assertVerified(b)
  })

  it('is for anyone at or above a version, a vector, an earlier bundle, or what a remote had', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    const everything = await bundleOf(a)
    await withWork(a, async ({ repo }) => {
      const { addRemote } = await import('../src/sync/remotes.js')
      addRemote(repo.root, { name: 'b', url: b })
      addRemote(repo.root, { name: 'never', url: '/nowhere' })
    })
    await asking(a, peerOf(b), 'sync')
    const { tips } = await bundleInfo(everything)
    await change(a, 'b.txt', 'b\n')
    for (const since of [tips, everything, 'b']) {
      const path = await bundleOf(a, since)
      const info = await bundleInfo(path)
      assert.deepEqual([info.versions, info.nameVersions, info.needs.length], [1, 1, 2], since)
      const c = await cloneFrom(new BundlePeer(everything))
      await take(c, path)
      assert.deepEqual(await entriesIn(c), await entriesIn(a), since)
    }
    // Of a version's past names are not part; those that were there when it was made are left out.
    assert.equal((await bundleInfo(await bundleOf(a, 'main~1'))).versions, 1)
    await assert.rejects(bundleOf(a, 'never'), { code: 'REMOTE_UNKNOWN' })
    await assert.rejects(bundleOf(a, 'no-such'), { code: 'V_UNKNOWN' })
  })

  it('is not made where there is nothing to bring, or something in its place', async () => {
    const a = await repository()
    const path = await bundleOf(a)
    await assert.rejects(bundleOf(a, path), { code: 'BUNDLE_EMPTY' })
    const empty = quick('empty')
    await initRepository(empty, 'main', { home: HOME })
    await assert.rejects(bundleOf(empty), { code: 'BUNDLE_EMPTY' })
    const before = readFileSync(path)
    await change(a, 'b.txt', 'b\n')
    await using repo = await Repository.open(a, { home: HOME })
    await assert.rejects(makeBundle(repo, path, {}), { code: 'FILE_EXISTS' })
    assert.deepEqual(readFileSync(path), before)
    await assert.rejects(makeBundle(repo, join(path, 'below'), {}), { code: 'DIR_NOT_FOUND' })
    await makeBundle(repo, path, { force: true })
    assert.notDeepEqual(readFileSync(path), before)
    assert.deepEqual(readdirSync(dirname(path)), ['made.weft'], 'nothing is left beside it')
  })

  it('does not bring what is private', async () => {
    const a = await repository()
    await change(a, 'b.txt', 'b\n')
    const { undo } = await import('../src/worktree/undo.js')
    await withWork(a, (work) => undo(work, 1))
    const root = await cloneFrom(new BundlePeer(await bundleOf(a)))
    const values = [...(await entriesIn(root)).values()].map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
    assert.equal(values.includes('b\n'), false)
    await assertVerified(root)
  })
})

describe('a bundle as an address', () => {
  it('gives, and takes nothing', async () => {
    const a = await repository()
    const path = await bundleOf(a)
    const b = await cloneFrom(new BundlePeer(path))
    assert.deepEqual((await asking(b, new BundlePeer(path), 'sync')).accepted, [])
    await change(a, 'b.txt', 'b\n')
    const part = await bundleOf(a, path)
    const before = readFileSync(path)
    for (const one of [path, part]) {
      await assert.rejects(asking(a, new BundlePeer(one), 'push'), { code: 'SYNC_DENIED' })
    }
    await change(a, 'c.txt', 'c\n')
    for (const one of [path, part]) {
      await assert.rejects(asking(a, new BundlePeer(one), 'sync'), { code: 'SYNC_DENIED' })
    }
    assert.deepEqual(readFileSync(path), before)
    await assert.rejects(clone(new BundlePeer(part), { root: quick('clone') }), { code: 'BUNDLE_INCOMPLETE' })
  })

  it('of another repository is refused', async () => {
    const a = await repository()
    const other = await repository()
    const whole = await bundleOf(other)
    await change(other, 'b.txt', 'b\n')
    const before = await storeOf(a)
    for (const path of [whole, await bundleOf(other, whole)]) {
      await assert.rejects(take(a, path), { code: 'REPO_OTHER' })
      await using repo = await Repository.open(a, { home: HOME })
      assert.deepEqual((await bundleInfo(path, repo)).here, { same: false, missing: [], known: 0 })
    }
    assert.deepEqual(await storeOf(a), before)
  })
})

describe('bundle info', () => {
  it('says what a bundle brings, and whether a repository can take it', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    await change(a, 'b.txt', 'b\n')
    const first = await bundleOf(a, 'main~1')
    await change(a, 'c.txt', 'c\n')
    await withWork(a, (work) => createTag(work, 'v2', {}))
    const second = await bundleOf(a, first)
    const { versions, nameVersions, whole, refs, needs, branch, here } = await bundleInfo(second)
    assert.deepEqual([versions, nameVersions, whole, needs.length, branch, here], [1, 2, false, 2, 'main', undefined])
    assert.deepEqual(
      refs.map(({ kind, name, after }) => [kind, name, after.length]),
      [
        ['branch', 'main', 1],
        ['tag', 'v2', 1],
      ],
    )
    {
      await using repo = await Repository.open(b, { home: HOME })
      const lacks = await bundleInfo(second, repo)
      assert.deepEqual([lacks.here?.same, lacks.here?.known], [true, 0])
      assert.deepEqual(lacks.here?.missing, needs)
      assert.deepEqual((await bundleInfo(first, repo)).here?.missing, [])
    }
    await take(b, first)
    await take(b, second)
    await using repo = await Repository.open(b, { home: HOME })
    assert.deepEqual((await bundleInfo(second, repo)).here, { same: true, missing: [], known: 3 })
  })
})

describe('bundles of a random history', () => {
  for (let round = 0; round < 3; round++) {
    it(`cut anywhere, in any order, some twice: the same replica, round ${round}`, async () => {
      const source = quick('source')
      await initRepository(source, 'main', { home: HOME })
      const empty = await cloneOf(source)
      const history = randomHistory(14, chance)
      await importGit({ source: history.dir, dir: source, identity: await openIdentity(HOME) })
      const parts = await partsOf(source, chance.below(4) + 2)
      const whole = await bundleOf(source)
      for (let order = 0; order < 3; order++) {
        const root = quick('replica')
        cpSync(empty, root, { recursive: true })
        const left = [...parts, ...parts.filter(() => chance.below(3) === 0)]
        if (order === 2) left.push(whole)
        while (left.length > 0) {
          const [path = ''] = left.splice(chance.below(left.length), 1)
          assert.deepEqual((await take(root, path)).refused, [], `seed ${chance.seed}`)
        }
        assert.deepEqual(await entriesIn(root), await entriesIn(source), `seed ${chance.seed}`)
        assert.deepEqual(await refsIn(root), await refsIn(source))
        assert.equal(
          (await storeOf(root)).some((line) => line.startsWith('a')),
          false,
          'nothing is kept aside',
        )
        await assertVerified(root)
      }
    })
  }
})

/** Bundles that hold all versions of a repository, each in one of them by chance. */
async function partsOf(root: string, count: number): Promise<string[]> {
  await using repo = await Repository.open(root, { home: HOME })
  const { entries, versions } = repo
  const parts = Array.from({ length: count }, () => ({
    path: join(quick('part'), 'part.weft'),
    versions: [] as Missing[],
  }))
  const tips = new Map<number, Tip>()
  for await (const version of versions.all()) {
    parts[chance.below(count)]?.versions.push(missing(version))
    tips.set(version.stream, tipOf({ ...version, seq: version.last }))
  }
  const all = new Tips(tips.values())
  const head: BundleHead = {
    repository: await readRepositoryId(entries),
    replica: undefined,
    branch: undefined,
    // What it is newer than is only said, so that it is no bundle of everything.
    since: all,
    tips: all,
  }
  const made = parts.filter((part) => part.versions.length > 0)
  for (const { path, versions: its } of made) {
    await writeBundle(path, head, (frames) => sendVersions({ entries }, frames, its))
  }
  return made.map(({ path }) => path)
}

describe('a bundle that is not as it was made', () => {
  it('is told when it is cut off, anywhere', async () => {
    const a = await repository()
    const before = await storeOf(a)
    const path = await bundleOf(a)
    const bytes = readFileSync(path)
    const cut = join(quick('cut'), 'cut.weft')
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(cut, bytes.subarray(0, length))
      const wanted = /^BUNDLE_DAMAGED$/
      await assert.rejects(openBundle(cut), (error: CodedError) => wanted.test(error.code), `${length} bytes`)
      if (length % 97 === 0) await assert.rejects(take(a, cut), { code: 'BUNDLE_DAMAGED' })
    }
    writeFileSync(cut, Buffer.concat([bytes, Buffer.of(0)]))
    await assert.rejects(take(a, cut), { code: 'BUNDLE_DAMAGED' })
    assert.deepEqual(await storeOf(a), before)
  })

  it('is told when a bit of it is another one', async () => {
    const bytes = readFileSync(await bundleOf(await repository()))
    const path = join(quick('flipped'), 'flipped.weft')
    for (let at = 0; at < bytes.length; at++) {
      const copy = Uint8Array.from(bytes)
      copy[at] = (copy[at] as number) ^ (1 << chance.below(8))
      writeFileSync(path, copy)
      await assert.rejects(openBundle(path), { code: at < 14 ? 'BUNDLE_BAD' : 'BUNDLE_DAMAGED' })
    }
  })

  it('brings nothing unsound, whatever somebody made of it who can compute a checksum', async () => {
    const a = await repository()
    const b = await cloneOf(a)
    const since = await bundleOf(a)
    await change(a, 'b.txt', 'b\n')
    const had = await entriesIn(b)
    for (const whole of [true, false]) {
      const bytes = body(await bundleOf(a, whole ? undefined : since))
      for (let round = 0; round < 24; round++) {
        const root = quick('victim')
        cpSync(b, root, { recursive: true })
        const copy = Uint8Array.from(bytes)
        const at = 14 + chance.below(copy.length - 14)
        copy[at] = (copy[at] as number) ^ (1 << chance.below(8))
        const path = resealed(chance.below(4) === 0 ? copy.subarray(0, at) : copy)
        for (const work of [() => bundleInfo(path), () => take(root, path)]) {
          await work().catch((error: unknown) => {
            assert.ok(error instanceof CodedError, `seed ${chance.seed}: ${error}`)
          })
        }
        const has = await entriesIn(root)
        for (const [key, value] of had) assert.equal(has.get(key), value, `seed ${chance.seed}, byte ${at}`)
        await assertVerified(root)
      }
    }
  })

  it('cannot make anybody wait or take much memory', async () => {
    const a = await repository()
    const { head } = await openBundle(await bundleOf(a))
    const part = encodeHead({ ...head, since: head.tips })
    const whole = encodeHead(head)
    const key = (n: number): Uint8Array => Uint8Array.of(0x56, 0, 0, 0, 0, n, 0, 0, 9)
    const zeros = encodePageSync([{ key: key(1), value: new Uint8Array(24 << 20) }])
    assert.ok(zeros.length < 1000, 'it packs well')
    const deep = Array.from({ length: 60 }).reduce<Uint8Array>((inner) => encodeRecord('R', inner), Uint8Array.of())
    const long = (letter: string, length: number): Uint8Array => {
      const bytes = Buffer.alloc(5)
      bytes.write(letter, 'latin1')
      bytes.writeUInt32LE(length, 1)
      return bytes
    }
    const hostile: [name: string, head: Uint8Array, ...frames: Uint8Array[]][] = [
      ['a frame of two gigabytes', part, long('P', 0x7fffffff)],
      ['a frame that is longer than the file', part, long('P', 1 << 20)],
      [
        'a page that says it is large',
        part,
        encodeRecord('P', lying(encodePageSync([{ key: key(1), value: key(1) }]))),
      ],
      ['a page of zeros', part, encodeRecord('P', zeros), encodeRecord('B', zipUint(1))],
      [
        'a stored page of zeros',
        whole,
        encodeRecord('S', Buffer.concat([encodeRecord('K', key(1)), encodeRecord('P', zeros)])),
      ],
      ['records in records', part, encodeRecord('P', deep)],
      ['a head in records', deep],
      ['a frame that is none', part, Uint8Array.of(0, 1, 2, 3)],
      ['a frame of the protocol that has no place', part, encodeRecord('D', Uint8Array.of())],
      ['a stored page among batches', part, encodeRecord('S', Uint8Array.of(1, 2, 3))],
      ['pages that no batch ends', part, encodeRecord('P', encodePageSync([{ key: key(1), value: key(1) }]))],
      ['two heads', part, encodeRecord('H', part)],
      ['no head', Uint8Array.of()],
    ]
    const before = await entriesIn(a)
    for (const [name, first, ...frames] of hostile) {
      const path = sealed(first, ...frames)
      const outcomes = await Promise.all(
        [() => bundleInfo(path), () => take(a, path), () => clone(new BundlePeer(path), { root: quick('clone') })].map(
          (work) =>
            work().then(
              () => 'fine',
              (error: unknown) => (error instanceof CodedError ? error.code : `${name}: ${error}`),
            ),
        ),
      )
      for (const outcome of outcomes) assert.match(outcome, /^(fine|[A-Z_]+)$/, name)
      assert.notEqual(outcomes[2], 'fine', name)
    }
    assert.deepEqual(await entriesIn(a), before)
    await assertVerified(a)
  })

  it('is told from other files, and from bundles of a newer format', async () => {
    await assert.rejects(openBundle(fixture('small')), { code: 'BUNDLE_BAD', hint: /git import/ })
    await assert.rejects(openBundle(join(ROOT, 'package.json')), { code: 'BUNDLE_BAD' })
    await assert.rejects(openBundle(ROOT), { code: 'BUNDLE_BAD' })
    await assert.rejects(openBundle(join(ROOT, 'no-such-file')), { code: 'INPUT_UNREADABLE' })
    await assert.rejects(openBundle(sealed(encodeRecord('V', zipUint(2)))), { code: 'FORMAT_NEWER' })
  })
})

/** A page that says to have sixty times the bytes it has. */
function lying(page: Uint8Array): Uint8Array {
  const copy = Buffer.from(page)
  copy[8] = 0x7f
  return copy
}

describe('the format', () => {
  const head: BundleHead = {
    repository: new Uint8Array(32).fill(1),
    replica: new Uint8Array(16).fill(2),
    branch: 'main',
    since: new Tips([{ stream: 7, seq: 40, check: 0xabcdef01 }]),
    tips: new Tips([
      { stream: 7, seq: 1041, check: 1 },
      { stream: 9, seq: 3, check: 2 },
    ]),
  }

  it('of heads is the golden one, and is read again', () => {
    assert.deepEqual(decodeHead(golden('bundle head', encodeHead(head))), head)
    const bare = { ...head, replica: undefined, branch: undefined, since: new Tips() }
    assert.deepEqual(decodeHead(golden('bundle head of everything', encodeHead(bare))), bare)
  })

  it('of files is the golden one, and is read again', async () => {
    const page = readFileSync(join(ROOT, 'fixtures', 'page-v1-raw.bin'))
    const path = join(quick('golden'), 'golden.weft')
    await writeBundle(path, head, async ({ write }) => {
      await write(encodeRecord('P', page))
      await write(encodeRecord('B', zipUint(3)))
    })
    const at = join(ROOT, 'fixtures', 'bundle-v1.weft')
    if (process.env['WEFT_GOLDEN'] === 'write') writeFileSync(at, readFileSync(path))
    assert.equal(compareBytes(readFileSync(path), readFileSync(at)), 0, 'the format of bundles has changed')
    const bundle = await openBundle(at)
    assert.deepEqual(bundle.head, head)
    const frames: [string, number][] = []
    for await (const { type, body: bytes } of bundle.frames()) frames.push([type, bytes.length])
    assert.deepEqual(frames, [
      ['P', page.length],
      ['B', 1],
    ])
  })
})

describe('weft bundle', () => {
  it('carries work from one to the other and back', async () => {
    const a = await repository()
    const place = quick('stick')
    const [first, second, third] = ['a.weft', 'b.weft', 'c.weft'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ]
    const made = await weftJson<{ whole: boolean; versions: number }>(['bundle', 'create', first, '-C', a])
    assert.deepEqual([made.whole, made.versions], [true, 1])
    const b = join(place, 'b')
    assert.equal((await weft(['clone', 'a.weft', 'b'], { cwd: place })).status, 0)
    assert.equal(readFileSync(join(b, 'a.txt'), 'utf8'), 'one\ntwo\nthree\n')

    edit(a, { 'a.txt': 'one\n2\nthree\n' })
    assert.equal((await weft(['commit', '-m', 'two', '-C', a])).status, 0)
    assert.equal((await weft(['bundle', 'create', second, '--since', first, '-C', a])).status, 0)
    const outside = await weftJson<{ needs: string[]; here?: unknown }>(['bundle', 'info', second], { cwd: place })
    assert.deepEqual([outside.needs.length, outside.here], [2, undefined])
    const told = await weft(['bundle', 'info', second], { cwd: b })
    assert.match(told.stdout.toString(), /This repository can take it/)
    const applied = await weftJson<{ received: number; waiting: number; files: { moved: boolean } }>(
      ['bundle', 'apply', '../b.weft'],
      { cwd: b },
    )
    assert.deepEqual([applied.received, applied.waiting, applied.files.moved], [1, 0, true])
    assert.equal(readFileSync(join(b, 'a.txt'), 'utf8'), 'one\n2\nthree\n')
    const again = await weft(['bundle', 'apply', second, '-C', b])
    assert.match(again.stdout.toString(), /^Nothing new/)

    edit(b, { 'b.txt': 'b\n' })
    assert.equal((await weft(['commit', '-m', 'three', '-C', b])).status, 0)
    assert.equal((await weft(['bundle', 'create', third, '--since', 'origin', '-C', b])).status, 0)
    assert.equal((await weft(['pull', third, '-C', a])).status, 0)
    assert.equal(readFileSync(join(a, 'b.txt'), 'utf8'), 'b\n')
    assert.deepEqual(await entriesIn(a), await entriesIn(b))

    assert.equal((await weftFails(['bundle', 'create', third, '-C', b])).code, 'FILE_EXISTS')
    assert.deepEqual(
      (({ code, status }) => [code, status])(
        await weftFails(['bundle', 'create', 'x.weft', '--since', third, '-C', a]),
      ),
      ['BUNDLE_EMPTY', 1],
    )
    assert.equal(existsSync(join(a, 'x.weft')), false)
    writeFileSync(third, readFileSync(third).subarray(0, 200))
    assert.deepEqual((({ code, status }) => [code, status])(await weftFails(['bundle', 'apply', third, '-C', a])), [
      'BUNDLE_DAMAGED',
      3,
    ])
  })
})

/** Cuts what comes back after so many bytes. */
function cutting(after: number): (call: Call) => Call {
  return (call) => ({
    write: call.write,
    end: call.end,
    close: call.close,
    read: (async function* () {
      let left = after
      for await (const piece of call.read) {
        yield piece.subarray(0, left)
        left -= piece.length
        if (left <= 0) throw new Error('cut')
      }
    })(),
  })
}
