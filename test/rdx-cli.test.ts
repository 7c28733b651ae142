/**
 * `weft rdx`, run as a user runs it: files and standard input, bytes, hex, text and JSON, exit statuses.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '../src/base/bytes.js'
import { parseRecords } from '../src/rdx/records.js'
import { temporary } from './support/temp.js'
import { ROOT, weftFails, weftJson } from './support/weft.js'

const DIR = temporary('rdx')

/** Writes a file of records given as text, and answers its path. */
function file(name: string, text: string): string {
  const path = join(DIR, name)
  writeFileSync(path, parseRecords(text))
  return path
}

const ANA = file('ana', '{1{1,1},2{2,1}}')
const BEN = file('ben', '{1{-3,2},3{3,2}}')
const MANY = file('many', '1{2,3} "text" {1:2{-1,1}}')
const MAP = file('map', '{1:2}')
const COUNTS = [file('one', 'C<1>'), file('two', 'C<2>')] as const
const BROKEN = join(DIR, 'broken')
writeFileSync(BROKEN, fromHex('69013069023000') as Uint8Array)

/** Runs `weft rdx <args>` with something on its standard input. */
function run(
  args: readonly string[],
  input: string | Uint8Array = '',
): { status: number | null; stdout: Buffer; stderr: string } {
  const options = { cwd: DIR, input, env: { ...process.env, NO_COLOR: '1' } }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/run.js'), 'rdx', ...args], options)
  return { status, stdout, stderr: stderr.toString() }
}

/** What it prints, which must go well. */
function prints(args: readonly string[], input?: string | Uint8Array): string {
  const { status, stdout, stderr } = run(args, input)
  assert.equal(status, 0, stderr)
  return stdout.toString()
}

describe('weft rdx', () => {
  it('parse: text to bytes, hex or JSON', async () => {
    assert.equal(toHex(run(['parse'], '-11{4,5} "a"').stdout), '690432080515' + '73023061')
    assert.equal(prints(['parse', '--hex', '-'], '-11{4,5}'), '690432080515\n')
    assert.deepEqual(JSON.parse(prints(['parse', '--json'], '-11{4,5}')), { hex: '690432080515' })
    writeFileSync(join(DIR, 'text'), '1 2')
    assert.equal(prints(['parse', '--hex', 'text', 'text']), '6902300269023004'.repeat(2).concat('\n'))
  })

  it('print: bytes to text, hex to text, JSON', async () => {
    assert.equal(prints(['print', MANY]), '1{2,3}\n"text"\n{1:2{-1,1}}\n')
    assert.equal(prints(['print', '--plain', MANY, ANA]), '1\n"text"\n{:}\n{1,2}\n')
    assert.equal(prints(['print', '--hex'], '6904 3208\n0515'), '-11{4,5}\n')
    assert.deepEqual(await weftJson(['rdx', 'print', ANA]), [
      { letter: 'E', hex: '650c690432020102690432040104', text: '{1{1,1},2{2,1}}', plain: '{1,2}' },
    ])
  })

  it('merge: in any order', async () => {
    const text = '{1{-3,2},2{2,1},3{3,2}}\n'
    for (const names of [
      [ANA, BEN],
      [BEN, ANA, BEN],
      [ANA, BEN, ANA],
    ]) {
      assert.equal(prints(['merge', '--text', ...names]), text)
    }
    assert.equal(prints(['merge', '--plain', ANA, BEN]), '{2,3}\n')
    assert.equal(toHex(run(['merge', ANA, BEN]).stdout), toHex(parseRecords(text)))
    assert.equal(prints(['merge', '--hex'], '650c690432020102690432040104'), '650c690432020102690432040104\n')
    assert.equal((await weftJson<{ plain: string }>(['rdx', 'merge', ANA, BEN])).plain, '{2,3}')
  })

  it('diff: what the older lacks', async () => {
    const both = run(['merge', ANA, BEN]).stdout
    assert.equal(prints(['diff', '--text', ANA], both), '{1{-3,2},3{3,2}}\n')
    assert.equal((await weftJson<{ text: string }>(['rdx', 'diff', BEN, ANA])).text, '{1{1,1},2{2,1}}')
    const patch = run(['diff', ANA, BEN]).stdout
    assert.deepEqual(run(['merge', ANA, '-'], patch).stdout, both)
  })

  it('check: well-formed or not, with the byte', async () => {
    assert.equal(prints(['check', ANA, MANY]), `${ANA}: 1 record, well-formed\n${MANY}: 3 records, well-formed\n`)
    const { status, stdout } = run(['check', ANA, BROKEN])
    assert.equal(status, 3)
    assert.match(stdout.toString(), /\n\S+broken: byte 6: the number is overlong: its last byte is zero\n$/)
    const json = run(['check', '--json', BROKEN])
    assert.equal(json.status, 3)
    const rule = 'the number is overlong: its last byte is zero'
    assert.deepEqual(JSON.parse(json.stdout.toString()), [{ file: BROKEN, ok: false, offset: 6, rule }])
    assert.equal(prints(['check']), 'Standard input: 0 records, well-formed\n')
  })

  it('print: says where the text of a terminal would lie', () => {
    const { status, stderr } = run(['parse'], '{1,\n 1 2}')
    assert.equal(status, 3)
    assert.equal(stderr, 'Error: Line 2, column 2: the same element stands twice.\n')
    const { stderr: broken } = run(['print', BROKEN])
    assert.match(broken, /^Error: \S+broken: bad record at byte 6: the number is overlong/)
  })

  const failures: [args: string[], status: number, code: string][] = [
    [['print', join(DIR, 'missing')], 1, 'INPUT_UNREADABLE'],
    [['print', DIR], 1, 'INPUT_UNREADABLE'],
    [['print', BROKEN], 3, 'BAD_RECORD'],
    [['print', '--hex', ANA], 3, 'BAD_RECORD'],
    [['parse', BROKEN], 3, 'RDX_TEXT'],
    [['merge', ANA, MAP], 1, 'RDX_MIXED'],
    [['merge', ANA, MANY], 3, 'BAD_RECORD'],
    [['merge', BROKEN], 3, 'BAD_RECORD'],
    [['merge', ...COUNTS], 1, 'RDX_CAUSAL'],
    [['diff', ANA, MAP], 1, 'RDX_MIXED'],
    [['diff'], 2, 'USAGE'],
    [['nonsense'], 2, 'COMMAND_UNKNOWN'],
  ]
  for (const [args, status, code] of failures) {
    it(`${args.map((arg) => arg.replace(`${DIR}/`, '')).join(' ')}: ${status} ${code}`, async () => {
      const failure = await weftFails(['rdx', ...args])
      assert.deepEqual([failure.status, failure.code], [status, code])
    })
  }

  it('parse: bytes that are no text are refused', () => {
    const { status, stderr } = run(['parse'], Uint8Array.of(0xff))
    assert.deepEqual([status, stderr], [3, 'Error: Standard input is not valid UTF-8.\n'])
  })
})
