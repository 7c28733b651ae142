import { decodeUtf8, toHex } from '../../base/bytes.js'
import { CodedError } from '../../base/error.js'
import { BaseCommand } from '../../cli/command.js'
import { nameOf, readInputs } from '../../cli/inputs.js'
import { writeJson } from '../../cli/output.js'
import { files, hex, writeRecords } from '../../cli/rdx-files.js'
import { parseRecords } from '../../rdx/records.js'

/** `weft rdx parse`: text to bytes. */
export default class RdxParse extends BaseCommand {
  static override summary = 'Turn values written as text into records'
  static override description =
    `Writes the records of all values, one after the other. A text that breaks a rule is refused with its line and column.`
  static override examples = [
    `echo '{"a":1,"b":2.5}' | <%= config.bin %> <%= command.id %> --hex`,
    '<%= config.bin %> <%= command.id %> values.txt > values.rdx',
  ]
  static override args = { files }
  static override flags = { hex }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RdxParse)
    const inputs = await readInputs(args.files)
    const records = Buffer.concat(inputs.map(({ name, bytes }) => parseRecords(textOf(name, bytes))))
    if (this.jsonEnabled()) await writeJson({ hex: toHex(records) })
    else await writeRecords(records, flags)
  }
}

function textOf(name: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new CodedError('RDX_TEXT', `${nameOf(name)} is not valid UTF-8.`)
  return text
}
