import "./globals.css";
import type { Metadata, Viewport } from "next";
import local from "next/font/local";
import type { ReactNode } from "react";
import { Providers } from "@/lib/providers";
import { Shell } from "@/ui/shell";
import { early } from "./early";

// Without a title: Next would write its own again, now and then after the page had set one.
export const metadata: Metadata = {
  description: "A Git repository in, a working URL out.",
};
export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fafafb" },
    { media: "(prefers-color-scheme: dark)", color: "#0d0e13" },
  ],
};

const sans = local({
  src: "../../node_modules/@fontsource-variable/geist/files/geist-latin-wght-normal.woff2",
  variable: "--font-geist-sans",
  weight: "100 900",
});
const mono = local({
  src: "../../node_modules/@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2",
  variable: "--font-geist-mono",
  weight: "100 900",
  preload: false,
  adjustFontFallback: false,
});

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" className={`${sans.variable} ${mono.variable}`} suppressHydrationWarning>
      <head>
        <title>AutoStack</title>
        <script dangerouslySetInnerHTML={{ __html: early }} />
      </head>
      <body className="min-h-dvh font-sans">
        <Providers>
          <Shell>{children}</Shell>
        </Providers>
      </body>
    </html>
  );
}
