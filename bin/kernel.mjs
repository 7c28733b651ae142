/**
 * Compiles what is to be WebAssembly, `src/lseq/assembly/`, into `src/lseq/kernel-code.ts`.
 *
 *     node bin/kernel.mjs [--check]
 *
 * What comes out is kept with the sources, so that nobody needs the compiler to build or to run weft; a test sees to it that
 * it is what the source gives (`--check`: exit status 1 where it is not).
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const LSEQ = join(dirname(fileURLToPath(import.meta.url)), '../src/lseq')
const SOURCE = join(LSEQ, 'assembly/columns.ts')
const TARGET = join(LSEQ, 'kernel-code.ts')

/** No run-time library, no memory of its own, no tables: just the functions. */
const FLAGS = [
  '--runtime',
  'stub',
  '-O3',
  '--noAssert',
  '--importMemory',
  '--noExportMemory',
  '--outFile',
  'kernel.wasm',
]

/** The code of the source, as WebAssembly. */
async function compiled() {
  let code
  const { error, stderr } = await main([basename(SOURCE), ...FLAGS], {
    readFile: (name) => (name === basename(SOURCE) ? readFileSync(SOURCE, 'utf8') : null),
    writeFile: (name, content) => {
      if (name.endsWith('.wasm')) code = content
    },
    listFiles: () => [],
  })
  if (error !== null || code === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`)
  return Buffer.from(code).toString('base64')
}

const text = `/** WebAssembly made of \`assembly/columns.ts\` by \`npm run kernel\`. @module */
export const KERNEL_CODE =
  '${await compiled()}'
`
if (!process.argv.includes('--check')) writeFileSync(TARGET, text)
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${TARGET} is not what npm run kernel makes.`)
  process.exitCode = 1
}
