import { mkdtempSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { installed } from '../support/npm-tool.ts'

/** As much as is used here: it brings a TypeScript of its own, since 7 has no programming interface. */
interface ApiExtractor {
  readonly ExtractorConfig: { prepare(options: object): object }
  readonly Extractor: { invoke(config: object, options: object): { readonly errorCount: number } }
}

const SOURCE = '@microsoft/api-extractor@7.60.1'

/** Everything that a package exports, as its users' compiler sees it. From what `tsc -b` has built. */
export function reportApi(folder: string, name: string): string {
  const { Extractor, ExtractorConfig } = createRequire(import.meta.url)(
    `${installed(SOURCE)}@microsoft/api-extractor`,
  ) as ApiExtractor
  const reports = mkdtempSync(`${tmpdir()}/sharkguard-api-`)
  const quiet = { default: { logLevel: 'none' } }
  const config = ExtractorConfig.prepare({
    configObjectFullPath: `${folder}/api-extractor.json`,
    packageJsonFullPath: `${folder}/package.json`,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: `${folder}/dist/index.d.ts`,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            module: 'nodenext',
            strict: true,
            skipLibCheck: true,
            // It cannot follow the globals that @types/node declares conditionally.
            types: [],
            lib: ['es2023', 'dom', 'dom.iterable'],
          },
          include: [`${folder}/dist/**/*.d.ts`],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: reports,
        reportTempFolder: `${reports}/new`,
        reportFileName: `${name}.api.md`,
      },
      dtsRollup: { enabled: false },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: quiet,
        tsdocMessageReporting: quiet,
        compilerMessageReporting: { default: { logLevel: 'error' } },
      },
    },
  })
  const { errorCount } = Extractor.invoke(config, { localBuild: true, messageCallback: silence })
  if (errorCount > 0) throw new Error(`${errorCount} errors in the declarations of ${name}`)
  return readFileSync(`${reports}/${name}.api.md`, 'utf8')
    .replaceAll(/\r/g, '')
    .replaceAll(/^ *\/\/ \(undocumented\)\n/gm, '')
}

function silence(message: { logLevel: string; handled: boolean }): void {
  if (message.logLevel !== 'error') message.handled = true
}
