import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    // Fonts stay files of their own: the Content Security Policy allows no data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev -w @tidemark/console` beside a running stack.
    port: 3005,
    proxy: { '/api': 'http://127.0.0.1:3001' },
  },
});
