/**
 * Tampering is found and named: every kind of entry, changed, moved, removed, added or replayed, with all checksums of
 * the storage made right, as somebody would who knows the formats; and plain flipped bits in the store's files.
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { defaultCrypto } from '../src/crypto/default.js'
import { decodeVersion, encodeHeader, encodeVersion } from '../src/history/header.js'
import { type Damage, Repository, type VerifyReport } from '../src/index.js'
import { lseqOfKey, writeLseq } from '../src/lseq/lseq.js'
import { importBundle } from './suites/roundtrip.js'
import { fixture } from './support/corpus.js'
import { random } from './support/random.js'
import { Entries, flipped, KINDS, type Place, pick } from './support/tamper.js'
import { nowhere } from './support/temp.js'
import { weft } from './support/weft.js'

/** Changes of one byte per kind of entry. */
const ROUNDS = 6

const chance = random('tamper')

/** Spoils a copy of `whole` and returns what verify says of it. */
async function spoil(whole: string, change: (entries: Entries) => Promise<unknown>): Promise<VerifyReport> {
  const dir = nowhere('spoilt')
  cpSync(whole, dir, { recursive: true })
  {
    await using entries = await Entries.open(join(dir, '.weft', 'store'))
    await change(entries)
  }
  await using repo = await Repository.open(dir)
  return await repo.verify()
}

/** Some damage is reported, and each is named. */
function expectFound({ ok, damage }: VerifyReport, what: string): void {
  const said = `${what}, seed ${chance.seed}`
  assert.ok(damage.length > 0, `not found: ${said}`)
  assert.equal(ok, false, said)
  for (const one of damage) {
    assert.ok(one.kind.length > 0 && one.detail.length > 0, said)
    assert.ok(isNamed(one), `damage without a name: ${JSON.stringify(one)}: ${said}`)
  }
}

function isNamed({ version, path, key }: Damage): boolean {
  return version !== undefined || path !== undefined || key !== undefined
}

/** An entry in words, for a failing test. */
function told({ key, value, page }: Place): string {
  return `${page ? 'paged' : 'loose'} ${Buffer.from(key).toString('latin1')} -> ${Buffer.from(value).toString('latin1', 0, 80)}`
}

describe('tampering', () => {
  const whole = nowhere('whole')
  /** What there is to choose from. Each copy holds the same. */
  let places: readonly Place[]

  before(async () => {
    await importBundle(fixture('oddities'), whole)
    const outcome = await weft(['snapshot', 'create', 'kept', '-C', whole])
    assert.equal(outcome.status, 0, outcome.stderr)
    await using entries = await Entries.open(join(whole, '.weft', 'store'))
    places = entries.all
  })

  const of = (kind: string): readonly Place[] => places.filter((place) => place.kind === kind)

  it('leaves a repository alone that nobody touched', async () => {
    const report = await spoil(whole, async () => {})
    assert.deepEqual(report.damage, [])
    assert.ok(
      Object.keys(KINDS).every((kind) => of(kind).length > 0),
      'every kind of entry is there',
    )
  })

  for (const [kind, word] of Object.entries(KINDS)) {
    it(`one bit of a value: ${word}`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const place = pick(
          of(kind).filter(({ value }) => value.length > 0),
          chance,
        )
        const report = await spoil(whole, (entries) => entries.setValue(place, flipped(place.value, chance)))
        expectFound(report, told(place))
      }
    })

    it(`one bit of a key: ${word}`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const place = pick(of(kind), chance)
        const key = flipped(place.key, chance)
        expectFound(await spoil(whole, (entries) => entries.setKey(place, key)), told(place))
      }
    })

    it(`an entry taken away: ${word}`, async () => {
      const place = pick(of(kind), chance)
      expectFound(await spoil(whole, (entries) => entries.remove(place)), told(place))
    })

    it(`two values exchanged: ${word}`, async () => {
      const one = pick(of(kind), chance)
      const others = of(kind).filter(({ value }) => !Buffer.from(value).equals(one.value))
      if (others.length === 0) return
      const other = pick(others, chance)
      const report = await spoil(whole, async (entries) => {
        await entries.setValue(one, other.value)
        await entries.setValue(other, one.value)
      })
      expectFound(report, `${told(one)} and ${told(other)}`)
    })
  }

  it('a line that no version has put', async () => {
    for (const shift of [0, 1, 1_000_000]) {
      const run = pick(of('L'), chance)
      const { seq, stream } = lseqOfKey(run.key)
      const key = Uint8Array.from(run.key)
      writeLseq(key, key.length - 8, seq + shift, shift === 0 ? stream ^ 0x10101 : stream)
      if (places.some((place) => Buffer.from(place.key).equals(key))) continue
      expectFound(await spoil(whole, (entries) => entries.put({ key, value: Buffer.from('slipped in\n') })), told(run))
    }
  })

  it('an entry of no known kind, or with a key that none of its kind has', async () => {
    const lseq = pick(of('V'), chance).key.subarray(-8)
    for (const kind of ['\0', 'A', 'Y', '\xff', ...Object.keys(KINDS)]) {
      for (const middle of ['', '\0', 'x'.repeat(20), 'b\0\0']) {
        const key = Buffer.concat([Buffer.from(kind + middle, 'latin1'), lseq])
        if (places.some((place) => key.equals(place.key))) continue
        expectFound(await spoil(whole, (entries) => entries.put({ key, value: Buffer.of(1) })), key.toString('latin1'))
      }
    }
  })

  it("the repository's own genesis", async () => {
    const place = of('K').find(({ key }) => lseqOfKey(key).stream === 0) as Place
    expectFound(await spoil(whole, (entries) => entries.remove(place)), 'removed')
    for (let round = 0; round < ROUNDS; round++) {
      const value = flipped(place.value, chance)
      expectFound(await spoil(whole, (entries) => entries.setValue(place, value)), told({ ...place, value }))
    }
  })

  it('an old signature on another header', async () => {
    const place = pick(of('V'), chance)
    const version = decodeVersion(place.value)
    const header = encodeHeader({ ...version, author: { ...version.author, name: Buffer.from('never seen') } })
    const forged = encodeVersion(header, version.signature)
    expectFound(await spoil(whole, (entries) => entries.setValue(place, forged)), told(place))
  })

  it("another version's header and signature", async () => {
    const [one, other] = [pick(of('V').slice(0, 40), chance), pick(of('V').slice(40), chance)]
    expectFound(await spoil(whole, (entries) => entries.setValue(one, other.value)), told(one))
  })

  it('a header signed by somebody else', async () => {
    const place = pick(of('V'), chance)
    const version = decodeVersion(place.value)
    const header = encodeHeader({ ...version, author: { ...version.author, name: Buffer.from('never seen') } })
    const seed = defaultCrypto.ed25519.generateSeed(defaultCrypto.randomBytes)
    const forged = encodeVersion(header, defaultCrypto.ed25519.sign(seed, defaultCrypto.sha256(header)))
    expectFound(await spoil(whole, (entries) => entries.setValue(place, forged)), told(place))
  })

  it('a version put beside the last of its stream', async () => {
    const tip = of('V').at(-1) as Place
    const version = decodeVersion(tip.value)
    const header = encodeHeader({ ...version, first: version.last + 1, last: version.last + 1 })
    const key = Uint8Array.from(tip.key)
    writeLseq(key, 1, version.last + 1, version.stream)
    const value = encodeVersion(header, version.signature)
    expectFound(await spoil(whole, (entries) => entries.put({ key, value })), told(tip))
  })

  it('a value that is longer, shorter, or empty', async () => {
    for (const kind of Object.keys(KINDS)) {
      for (const change of [
        (value: Uint8Array) => Buffer.concat([value, Buffer.of(0)]),
        (value: Uint8Array) => value.subarray(0, -1),
        () => Buffer.of(),
      ]) {
        const place = pick(
          of(kind).filter(({ value }) => value.length > 0),
          chance,
        )
        expectFound(await spoil(whole, (entries) => entries.setValue(place, change(place.value))), told(place))
      }
    }
  })
})

describe('flipped bits in files', () => {
  it('are found in whatever table they are, and never crash anything', async () => {
    const whole = nowhere('whole')
    await importBundle(fixture('oddities'), whole)
    const store = join(whole, '.weft', 'store')
    const tables = readdirSync(store).filter((name) => name.endsWith('.ldb'))
    assert.ok(tables.length > 0)
    for (let round = 0; round < 12; round++) {
      const dir = nowhere('flipped')
      cpSync(whole, dir, { recursive: true })
      const file = join(dir, '.weft', 'store', pick(tables, chance))
      writeFileSync(file, flipped(readFileSync(file), chance))
      const outcome = await weft(['verify', '-C', dir, '--json'])
      assert.equal(outcome.status, 3, `seed ${chance.seed}, ${file}: ${outcome.stdout}${outcome.stderr}`)
      const log = await weft(['log', '-C', dir])
      assert.ok([0, 1, 3].includes(log.status ?? -1), `log: status ${log.status}: ${log.stderr}`)
    }
  })
})
