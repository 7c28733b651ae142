/**
 * Keys of others: what is noted of them, what may come in, and what was signed too late.
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { equalBytes, fromHex, toHex } from '../src/base/bytes.js'
import { decodeGenesis } from '../src/history/genesis.js'
import { genesisKey, kindRange } from '../src/history/keys.js'
import { fingerprint } from '../src/history/signer.js'
import { commit, initRepository, openIdentity, Repository, setConfig, Worktree } from '../src/index.js'
import { formatStream, type Lseq, lseqOfKey } from '../src/lseq/lseq.js'
import { repositoryConfigPath } from '../src/repo/config.js'
import type { SignerInfo, VerifyReport } from '../src/repo/results.js'
import { renameSigner, revokeSigner, trustSigner } from '../src/repo/signer-list.js'
import { signerPolicy } from '../src/repo/signer-policy.js'
import {
  badSignerName,
  formatSigners,
  type KnownSigner,
  parseSigners,
  readSigners,
  rememberSigners,
  type SignerState,
  signersPath,
  writeSigners,
} from '../src/repo/signers.js'
import { createBranch } from '../src/worktree/branches.js'
import { switchTo } from '../src/worktree/switch.js'
import { holds } from './support/property.js'
import { temporary } from './support/temp.js'
import { HOME, weft, weftFails, weftJson } from './support/weft.js'

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const NOW = new Date('2026-11-21T09:00:00Z')

const ANA: KnownSigner = {
  publicKey: toHex(key(1)),
  fingerprint: fingerprint(key(1)),
  name: 'Ana Ruiz',
  state: 'trusted',
  seen: NOW.toISOString(),
}
const BOB: KnownSigner = {
  publicKey: toHex(key(2)),
  fingerprint: fingerprint(key(2)),
  state: 'revoked',
  seen: NOW.toISOString(),
  revoked: {
    time: '2026-11-22T10:00:00.000Z',
    until: [
      { stream: 0x5e95ba, seq: 41 },
      { stream: 0x7f00aa, seq: 3 },
    ],
  },
}

const FILE = `weft signers 1

key ${'01'.repeat(32)}
name Ana Ruiz
state trusted
seen 2026-11-21T09:00:00.000Z

key ${'02'.repeat(32)}
state revoked
seen 2026-11-21T09:00:00.000Z
revoked 2026-11-22T10:00:00.000Z
until 5e95ba:41,7f00aa:3
`

describe('the list of keys', () => {
  it('is a text that people can read', () => {
    assert.equal(formatSigners([ANA, BOB]), FILE)
    assert.deepEqual(parseSigners(FILE, 'signers'), [ANA, BOB])
    assert.deepEqual(parseSigners(FILE.replaceAll('\n', '\r\n').trimEnd(), 'signers'), [ANA, BOB])
    assert.deepEqual(parseSigners('weft signers 1\n', 'signers'), [])
  })

  it('comes back as it was written', () => {
    const until = fc
      .uniqueArray(
        fc.record({ stream: fc.integer({ min: 1, max: 0xffffff }), seq: fc.integer({ min: 1, max: 2 ** 40 - 1 }) }),
        {
          selector: ({ stream }) => stream,
          maxLength: 4,
        },
      )
      .map((list) => list.sort((a, b) => a.stream - b.stream))
    const signer = fc
      .tuple(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.option(
          fc.string({ unit: 'grapheme' }).filter((name) => badSignerName(name) === undefined),
          { nil: undefined },
        ),
        fc.constantFrom<SignerState>('seen', 'trusted', 'revoked'),
        until,
      )
      .map(
        ([publicKey, name, state, limit]): KnownSigner => ({
          publicKey: toHex(publicKey),
          fingerprint: fingerprint(publicKey),
          ...(name === undefined ? {} : { name }),
          state,
          seen: NOW.toISOString(),
          ...(state === 'revoked' ? { revoked: { time: NOW.toISOString(), until: limit } } : {}),
        }),
      )
    const lists = fc.uniqueArray(signer, { selector: ({ publicKey }) => publicKey, maxLength: 4 })
    holds(
      fc.property(lists, (list) => {
        assert.equal(JSON.stringify(parseSigners(formatSigners(list), 'signers')), JSON.stringify(list))
      }),
    )
  })

  const refused: [name: string, text: string, line: number][] = [
    ['another format', FILE.replace('signers 1', 'signers 2'), 1],
    ['nothing', '', 1],
    ['a short key', FILE.replace('0101', '01'), 3],
    ['a key twice', FILE.replaceAll('02'.repeat(32), '01'.repeat(32)), 8],
    ['a name that looks like a fingerprint', FILE.replace('Ana Ruiz', 'abcd'), 4],
    ['an unknown state', FILE.replace('trusted', 'loved'), 5],
    ['no time', FILE.replace('seen 2026-11-21T09:00:00.000Z', 'seen lately'), 6],
    ['a revocation without a vector', FILE.replace(/until .*\n/, ''), 12],
    ['a vector out of order', FILE.replace('5e95ba:41,7f00aa:3', '7f00aa:3,5e95ba:41,7f00aa:4'), 12],
    ['a vector of a key that is not revoked', FILE.replace('state revoked', 'state seen'), 11],
  ]
  for (const [name, text, line] of refused) {
    it(`refuses ${name}, naming the line`, () => {
      assert.throws(() => parseSigners(text, 'signers'), {
        code: 'SIGNERS_DAMAGED',
        message: new RegExp(`line ${line}: `),
      })
    })
  }

  it('is total: any text is read or refused', () => {
    const texts = fc.tuple(fc.nat(FILE.length), fc.nat(8), fc.string()).map(([at, cut, put]) => {
      return FILE.slice(0, at) + put + FILE.slice(at + cut)
    })
    holds(
      fc.property(texts, (text) => {
        try {
          parseSigners(text, 'signers')
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'SIGNERS_DAMAGED')
        }
      }),
      1000,
    )
  })

  it('remembers each key once, and tells which are new', async () => {
    const root = await begun()
    assert.deepEqual(readSigners(root), [])
    const met = rememberSigners(root, [key(1), key(2), key(1)], () => NOW)
    assert.deepEqual(
      met.map(({ publicKey, state, seen }) => [publicKey, state, seen]),
      [
        [toHex(key(1)), 'seen', NOW.toISOString()],
        [toHex(key(2)), 'seen', NOW.toISOString()],
      ],
    )
    assert.deepEqual(rememberSigners(root, [key(2)]), [])
    assert.deepEqual(
      rememberSigners(root, [key(3), key(1)]).map(({ fingerprint: print }) => print),
      [fingerprint(key(3))],
    )
    assert.equal(readSigners(root).length, 3)
    writeFileSync(signersPath(root), Buffer.from([0xff, 0x0a]))
    assert.throws(() => rememberSigners(root, [key(1)]), { code: 'SIGNERS_DAMAGED' })
  })
})

describe('the policy', () => {
  const signers: KnownSigner[] = [ANA, BOB, { ...ANA, publicKey: toHex(key(3)), state: 'seen' }]
  const here: Lseq = { stream: 0x5e95ba, seq: 41 }
  const later: Lseq = { stream: 0x5e95ba, seq: 42 }
  const elsewhere: Lseq = { stream: 0x111111, seq: 1 }
  const UNTRUSTED = 'SIGNER_UNTRUSTED'
  const REVOKED = 'SIGNER_REVOKED'
  const cases: [who: string, publicKey: Uint8Array, version: Lseq, any: string, trusted: string][] = [
    ['trusted', key(1), later, 'in', 'in'],
    ['seen', key(3), later, 'in', UNTRUSTED],
    ['never met', key(4), later, 'in', UNTRUSTED],
    ["one's own", key(9), later, 'in', 'in'],
    ['revoked, up to its vector', key(2), here, 'in', 'in'],
    ['revoked, beyond it', key(2), later, REVOKED, REVOKED],
    ['revoked, in a stream that was not here', key(2), elsewhere, REVOKED, REVOKED],
  ]
  for (const [who, publicKey, version, any, trusted] of cases) {
    it(`takes or refuses a key that is ${who}`, () => {
      for (const [rule, expected] of [['any', any] as const, ['trusted', trusted] as const]) {
        const refusal = signerPolicy({ signers, rule, own: key(9) })(publicKey, version)
        assert.equal(refusal?.code ?? 'in', expected, rule)
        if (refusal !== undefined) assert.match(refusal.reason, new RegExp(fingerprint(publicKey)))
      }
    })
  }

  it("does not trust one's own key once it is revoked", () => {
    const policy = signerPolicy({ signers, rule: 'trusted', own: key(2) })
    assert.equal(policy(key(2), later)?.code, REVOKED)
  })

  it('is made of the settings and the list of a repository', async () => {
    const root = await begun()
    const ask = async (publicKey: Uint8Array): Promise<string | undefined> => {
      await using repo = await Repository.open(root, { home: HOME })
      return (await repo.signerPolicy())(publicKey, later)?.code
    }
    const { signer } = await openIdentity(HOME)
    assert.equal(await ask(key(1)), undefined)
    setConfig(repositoryConfigPath(root), 'sync.signers', 'trusted')
    assert.equal(await ask(key(1)), UNTRUSTED)
    assert.equal(await ask(signer.publicKey), undefined)
    writeSigners(root, [ANA, BOB])
    assert.equal(await ask(key(1)), undefined)
    assert.equal(await ask(key(2)), REVOKED)
    setConfig(repositoryConfigPath(root), 'sync.signers', 'any')
    assert.equal(await ask(key(4)), undefined)
    assert.equal(await ask(key(2)), REVOKED)
    assert.throws(() => setConfig(repositoryConfigPath(root), 'sync.signers', 'nobody'), { code: 'CONFIG_BAD' })
  })
})

const OTHER = temporary('other-home')

/** A repository with a version of one's own. */
async function begun(): Promise<string> {
  const root = temporary('signers')
  await initRepository(root, 'main', { home: HOME })
  await change(root, HOME, 'one')
  return root
}

/** A version by whoever has the key in a home. @returns Its id. */
async function change(root: string, home: string, text: string, branch?: string): Promise<string> {
  await using repo = await Repository.open(root, { home })
  const work = await Worktree.open(repo)
  if (branch !== undefined) {
    if (!(await repo.branches()).some(({ name }) => name === branch)) await createBranch(work, branch, undefined)
    await switchTo(work, { to: branch })
  }
  writeFileSync(join(root, 'file'), `${text}\n`)
  const name = home === HOME ? 'Ada' : 'Bob'
  return (await commit(work, { message: text, author: { name, email: `${name}@example.org` } })).version
}

async function printOf(home: string): Promise<string> {
  return (await openIdentity(home)).fingerprint
}

async function withRepo<T>(root: string, act: (repo: Repository) => Promise<T>): Promise<T> {
  await using repo = await Repository.open(root, { home: HOME })
  return await act(repo)
}

/** Lseqs of all versions that a home's key signed, in order. */
async function signedBy(root: string, home: string): Promise<Lseq[]> {
  const { signer } = await openIdentity(home)
  return withRepo(root, async ({ entries, versions }) => {
    const streams = new Set<number>()
    for await (const batch of entries.scan(kindRange('K'))) {
      for (const { key: at, value } of batch) {
        const { stream } = lseqOfKey(at)
        if (stream !== 0 && equalBytes(decodeGenesis(value).publicKey, signer.publicKey)) streams.add(stream)
      }
    }
    const lseqs: Lseq[] = []
    for await (const { last, stream } of versions.all()) if (streams.has(stream)) lseqs.push({ seq: last, stream })
    return lseqs
  })
}

describe('keys that wrote here', () => {
  it('are listed with what they signed', async () => {
    const root = await begun()
    await change(root, OTHER, 'two')
    const signers = await withRepo(root, (repo) => repo.signers())
    const [ada, bob] = [await printOf(HOME), await printOf(OTHER)]
    const seen = signers.map(({ fingerprint: print, own, state, author, streams, versions }) => {
      return { print, own, state, author: author?.name, streams, versions }
    })
    assert.deepEqual(seen, [
      { print: bob, own: false, state: 'seen', author: 'Bob', streams: 2, versions: 2 },
      { print: ada, own: true, state: 'trusted', author: 'Ada', streams: 2, versions: 2 },
    ])
  })

  it('are listed when they are known and have not written yet', async () => {
    const root = await begun()
    rememberSigners(root, [key(7)], () => NOW)
    const last = (await withRepo(root, (repo) => repo.signers())).at(-1)
    assert.deepEqual(last, {
      fingerprint: fingerprint(key(7)),
      publicKey: toHex(key(7)),
      state: 'seen',
      own: false,
      seen: NOW.toISOString(),
      streams: 0,
      versions: 0,
    })
  })

  it('are found by fingerprint, the beginning of it, public key and name', async () => {
    const root = await begun()
    await change(root, OTHER, 'two')
    const { fingerprint: print, publicKey } = await openIdentity(OTHER)
    await withRepo(root, async (repo) => {
      for (const text of [print, print.slice(0, 6), print.toUpperCase(), publicKey]) {
        assert.equal((await trustSigner(repo, text)).fingerprint, print, text)
      }
      assert.equal((await renameSigner(repo, print, 'Bob the Builder')).name, 'Bob the Builder')
      assert.equal((await trustSigner(repo, 'Bob the Builder')).fingerprint, print)
      // Whom a version names as its author is no name of a key: anybody can write that.
      for (const text of ['Bob', 'x', print.slice(0, 3), '']) {
        await assert.rejects(trustSigner(repo, text), { code: 'SIGNER_UNKNOWN' })
      }
    })
  })

  it('are told apart', async () => {
    const root = await begun()
    // Two keys whose fingerprints begin alike.
    const byPrefix = new Map<string, number>()
    const many = Array.from({ length: 2000 }, (_, i) =>
      Uint8Array.from({ length: 32 }, (_, j) => (j < 2 ? i >> (8 * j) : 7)),
    )
    const pair = many.flatMap((one, i) => {
      const prefix = fingerprint(one).slice(0, 4)
      const other = byPrefix.get(prefix)
      byPrefix.set(prefix, i)
      return other === undefined ? [] : [[many[other] as Uint8Array, one] as const]
    })[0]
    assert.ok(pair)
    rememberSigners(root, pair, () => NOW)
    await withRepo(root, async (repo) => {
      const [first, second] = pair.map(fingerprint) as [string, string]
      await assert.rejects(trustSigner(repo, first.slice(0, 4)), {
        code: 'SIGNER_AMBIGUOUS',
        data: { candidates: [first, second] },
      })
      await renameSigner(repo, first, 'First')
      await assert.rejects(renameSigner(repo, second, 'First'), { code: 'NAME_TAKEN' })
      for (const name of ['', ' x', 'abcd', 'a\nb', '-x', 'x'.repeat(256)]) {
        await assert.rejects(renameSigner(repo, second, name), { code: 'NAME_BAD' }, name)
      }
      await renameSigner(repo, first, 'First')
    })
  })

  it('can be trusted before they write anything', async () => {
    const root = await begun()
    const { publicKey } = ANA
    await withRepo(root, (repo) => trustSigner(repo, publicKey))
    assert.deepEqual(
      readSigners(root).map(({ publicKey: one, state }) => [one, state]),
      [[publicKey, 'trusted']],
    )
  })

  it('are trusted again only by who says so', async () => {
    const root = await begun()
    rememberSigners(root, [key(7)], () => NOW)
    const print = fingerprint(key(7))
    await withRepo(root, async (repo) => {
      await revokeSigner(repo, print)
      await assert.rejects(trustSigner(repo, print), { code: 'SIGNER_REVOKED' })
      const { before, state } = await trustSigner(repo, print, { again: true })
      assert.deepEqual([before, state], ['revoked', 'trusted'])
    })
    assert.equal(readSigners(root)[0]?.revoked, undefined)
  })
})

describe('a key that is revoked', () => {
  /** How many versions of Bob's are valid, by the policy, and that these are the first of each stream. */
  async function valid(root: string): Promise<number> {
    const { signer } = await openIdentity(OTHER)
    const policy = await withRepo(root, (repo) => repo.signerPolicy())
    const lseqs = await signedBy(root, OTHER)
    const refused = new Set<number>()
    let count = 0
    for (const lseq of lseqs) {
      if (policy(signer.publicKey, lseq) === undefined) {
        assert.ok(!refused.has(lseq.stream), 'what is valid is a prefix')
        count++
      } else refused.add(lseq.stream)
    }
    return count
  }

  it('keeps what is here, and may add no more', async () => {
    const root = await begun()
    await change(root, OTHER, 'two')
    const change1 = await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER)))
    assert.equal(change1.until?.split(',').length, 2)
    assert.equal(await valid(root), 2)
    assert.deepEqual((await withRepo(root, (repo) => repo.verify())).revoked, [])
    const late = await change(root, OTHER, 'three')
    assert.equal(await valid(root), 2)
    const report = await withRepo(root, (repo) => repo.verify())
    assert.ok(report.ok)
    assert.deepEqual(
      report.revoked.map(({ signer }) => signer),
      [await printOf(OTHER), await printOf(OTHER)],
    )
    assert.ok(report.revoked.some(({ version }) => version === late))
    const quick = await withRepo(root, (repo) => repo.verify({ quick: true }))
    assert.deepEqual(quick.revoked, report.revoked)
  })

  it('keeps what it signed up to a version, and the names of that', async () => {
    const root = await begun()
    const two = await change(root, OTHER, 'two')
    await change(root, OTHER, 'three')
    await change(root, OTHER, 'four')
    await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER), two))
    // The version, and the move of the branch to it.
    assert.equal(await valid(root), 2)
    await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER), 'main~1'))
    assert.equal(await valid(root), 4)
    // Before it wrote anything.
    await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER), 'main~3'))
    assert.equal(await valid(root), 0)
  })

  it('keeps what a vector says, also of what is not here yet', async () => {
    const root = await begun()
    await change(root, OTHER, 'two')
    await change(root, OTHER, 'three')
    const lseqs = await signedBy(root, OTHER)
    const own = (await signedBy(root, HOME))[0] as Lseq
    const [content, refs] = lseqs as [Lseq, Lseq]
    const text = ({ stream, seq }: Lseq): string => `${formatStream(stream)}:${seq}`
    const print = await printOf(OTHER)
    await withRepo(root, (repo) => revokeSigner(repo, print, text(content)))
    assert.equal(await valid(root), 2)
    const { until } = await withRepo(root, (repo) =>
      revokeSigner(repo, print, [content, refs, own].map(text).concat('123456:77').join(',')),
    )
    assert.equal(until, [text(content), text(refs), '123456:77'].sort().join(','))
    assert.equal(await valid(root), 2)
    await assert.rejects(
      withRepo(root, (repo) => revokeSigner(repo, print, 'no-such')),
      { code: 'V_UNKNOWN' },
    )
  })

  it('whose names came first to something newer keeps those of before', async () => {
    const root = await begun()
    const two = await change(root, OTHER, 'two')
    await change(root, OTHER, 'on a branch', 'topic')
    await change(root, HOME, 'mine')
    await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER), two))
    const signer = (await openIdentity(OTHER)).signer.publicKey
    const policy = await withRepo(root, (repo) => repo.signerPolicy())
    const refused = (await signedBy(root, OTHER)).map((lseq) => policy(signer, lseq)?.code ?? 'in')
    // two; main -> two; a branch at two; on a branch; topic -> that
    assert.deepEqual(refused, ['in', 'in', 'in', 'SIGNER_REVOKED', 'SIGNER_REVOKED'])
  })

  it('is told of by verify although something else is damaged', async () => {
    const root = await begun()
    await change(root, OTHER, 'two')
    await withRepo(root, async (repo) => revokeSigner(repo, await printOf(OTHER), 'main~1'))
    const [own] = await signedBy(root, HOME)
    await withRepo(root, async (repo) => {
      const key = Buffer.concat([Buffer.from('e'), genesisKey((own as Lseq).stream)])
      await repo.entries.store.batch([{ type: 'put', key, value: Buffer.from('v\x01\x01') }])
    })
    const report = await withRepo(root, (repo) => repo.verify())
    assert.ok(report.damage.some(({ kind }) => kind === 'genesis'))
    assert.equal(report.revoked.length, 2)
  })
})

describe('weft key', () => {
  it('lists, names, trusts and revokes', async () => {
    const cwd = await begun()
    await change(cwd, OTHER, 'two')
    const print = await printOf(OTHER)
    const said = async (...args: string[]): Promise<string> => String((await weft(['key', ...args], { cwd })).stdout)
    assert.match(
      await said('list'),
      new RegExp(`^  ${print} +seen +- +Bob <Bob@example.org> +2 versions\\n\\* [0-9a-f]{16} +trusted `),
    )
    assert.equal(await said('rename', print, 'Bob B.'), `The key ${print} is called Bob B. here.\n`)
    assert.equal(await said('trust', 'Bob B.'), `The key ${print} (Bob B.) is now trusted.\n`)
    assert.equal(await said('trust', 'Bob B.'), `The key ${print} (Bob B.) is already trusted.\n`)
    assert.match(await said('revoke', 'Bob B.', '--at', 'main~1'), /is revoked\. Nothing that it signed is valid\.\n$/)
    assert.match(
      String((await weft(['verify'], { cwd })).stdout),
      /revoked: 2 versions signed by [0-9a-f]{16} \(Bob B\.\) beyond/,
    )
    const { ok, revoked } = await weftJson<VerifyReport>(['verify'], { cwd })
    assert.deepEqual([ok, revoked.length], [true, 2])
    assert.equal((await weftFails(['key', 'trust', print], { cwd })).code, 'SIGNER_REVOKED')
    assert.equal((await weftFails(['key', 'trust', 'nobody'], { cwd })).code, 'SIGNER_UNKNOWN')
    assert.match(await said('trust', print, '--again'), /now trusted/)
    const [first] = await weftJson<SignerInfo[]>(['key', 'list'], { cwd })
    assert.deepEqual([first?.name, first?.state, first?.own], ['Bob B.', 'trusted', false])
    assert.match(
      readFileSync(signersPath(cwd), 'utf8'),
      /^weft signers 1\n\nkey [0-9a-f]{64}\nname Bob B\.\nstate trusted\n/,
    )
    writeFileSync(signersPath(cwd), 'what?\n')
    const failure = await weftFails(['key', 'list'], { cwd })
    assert.deepEqual([failure.code, failure.status], ['SIGNERS_DAMAGED', 3])
    rmSync(signersPath(cwd))
    assert.equal((await weft(['key', 'list'], { cwd })).status, 0)
  })

  it('alone is one’s own key, as ever', async () => {
    const { publicKey } = await weftJson<{ publicKey: string }>(['key'])
    assert.equal(fingerprint(fromHex(publicKey) as Uint8Array), await printOf(HOME))
  })
})
