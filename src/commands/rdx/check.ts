import { BaseCommand } from '../../cli/command.js'
import { nameOf } from '../../cli/inputs.js'
import { files, hex, readTlv } from '../../cli/rdx-files.js'
import { checkRecords, splitRecords } from '../../rdx/records.js'

/** What was found in one file. */
interface Checked {
  readonly file: string
  readonly ok: boolean
  /** How many records there are in a file without a fault. */
  readonly records?: number
  readonly offset?: number
  readonly rule?: string
}

/** `weft rdx check`: whether records keep every rule. */
export default class RdxCheck extends BaseCommand {
  static override summary = 'Check that files hold well-formed records'
  static override description =
    `Names the first rule that a file breaks, and the byte at which it does. Ends with status 3 where any does.`
  static override examples = ['<%= config.bin %> <%= command.id %> *.rdx']
  static override args = { files }
  static override flags = { hex }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RdxCheck)
    const checked = (await readTlv(args.files, flags.hex)).map(({ name, bytes }): Checked => {
      const fault = checkRecords(bytes)
      if (fault !== undefined) return { file: name, ok: false, ...fault }
      return { file: name, ok: true, records: splitRecords(bytes)?.length ?? 0 }
    })
    if (checked.some(({ ok }) => !ok)) this.exitDamaged()
    await this.answerEach(checked, ({ file, ok, records, offset, rule }, style) => {
      const name = style.safe(nameOf(file))
      return ok
        ? `${name}: ${records} ${records === 1 ? 'record' : 'records'}, well-formed\n`
        : `${name}: byte ${offset}: ${rule}\n`
    })
  }
}
