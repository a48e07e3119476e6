import './no-eval.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'
import './styles/content.css'
import './styles/panes.css'
import './styles/widths.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { applyTheme, rememberedTheme } from './state/theme.ts'
import { connect } from './bridge/connect.ts'

applyTheme(rememberedTheme())
const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
const connection = await connect()
createRoot(root).render(
  <StrictMode>
    <App connection={connection} />
  </StrictMode>,
)
