# Frozen reference numbers: Rscript tests/analysis/r/reference.R, from the repository root.
# Debian 12: R 4.2.2, afex 1.2-1, car 3.1-1, coin 1.4-2, exactRankTests 0.8-35, lme4 1.1-31,
# ordinal 2022.11-16, effectsize 0.8.3, BayesFactor 0.9.12-4.4, psych 2.2.9.
suppressMessages({
  library(afex); library(coin); library(exactRankTests); library(lme4); library(ordinal)
  library(jsonlite); library(BayesFactor); library(psych); library(effectsize)
})
dir <- "tests/analysis/data"
num <- function(x) unname(as.numeric(x))

cell <- function(d) if ("interface" %in% names(d)) paste(d$interface, d$sampling, sep = "-") else d$sampling
ncp_t <- function(t, df, q) uniroot(function(x) pt(t, df, x) - q, c(t - 25, t + 25), tol = 1e-12)$root
ncp_f <- function(f, df1, df2, q) {
  if (pf(f, df1, df2) <= q) return(0)
  uniroot(function(x) pf(f, df1, df2, x) - q, c(0, 20 * f * df1 + 50), tol = 1e-12)$root
}
np2_ci <- function(f, df1, df2) {
  b <- c(ncp_f(f, df1, df2, .95), ncp_f(f, df1, df2, .05)); b / (b + df2)
}
line <- function(tab, s, row, corr = NULL) {
  a <- tab[row, ]
  out <- list(F = num(a[["F"]]), df1 = num(a[["num Df"]]), df2 = num(a[["den Df"]]),
              p = num(a[["Pr(>F)"]]), np2 = num(a[["pes"]]), ng2 = num(a[["ges"]]),
              np2_ci90 = np2_ci(num(a[["F"]]), num(a[["num Df"]]), num(a[["den Df"]])))
  pv <- s$pval.adjustments
  if (row %in% rownames(s$sphericity.tests)) {
    out <- c(out, list(epsilon_gg = num(pv[row, "GG eps"]), p_gg = num(pv[row, "Pr(>F[GG])"]),
                       epsilon_hf_uncapped = num(pv[row, "HF eps"]), p_hf = num(pv[row, "Pr(>F[HF])"]),
                       mauchly_w = num(s$sphericity.tests[row, "Test statistic"]),
                       mauchly_p = num(s$sphericity.tests[row, "p-value"])))
  }
  out
}
aov_lines <- function(d, dv, within) {
  m <- suppressWarnings(suppressMessages(
    aov_ez("participant", dv, d, within = within, include_aov = FALSE)))
  tab <- anova(m, es = c("pes", "ges"), correction = "none")
  s <- suppressWarnings(summary(m))
  setNames(lapply(rownames(tab), function(r) line(tab, s, r)), rownames(tab))
}

analyse <- function(name, dv) {
  d <- read.csv(file.path(dir, paste0(name, ".csv"))); d$cell <- cell(d); out <- list()
  if (all(c("interface", "sampling") %in% names(d))) {
    two <- aov_lines(d, dv, c("interface", "sampling"))
    out$anova_2x2 <- list(interface = two[["interface"]], sampling = two[["sampling"]],
                          interaction = two[["interface:sampling"]])
  }
  out$anova_one_way <- aov_lines(d, dv, "cell")[["cell"]]
  order <- unique(d$cell[order(match(d$participant, unique(d$participant)))])
  w <- sapply(order, function(k) { x <- d[d$cell == k, ]; x[order(x$participant), dv] })
  pairs <- list(); p <- c()
  for (i in 1:(ncol(w) - 1)) for (j in (i + 1):ncol(w)) {
    x <- w[, i]; y <- w[, j]; n <- length(x); t <- t.test(x, y, paired = TRUE)
    z <- round(x - y, 10); zz <- z[z != 0]
    both <- data.frame(v = c(z, rep(0, n)))
    wil <- function(m) pvalue(wilcoxsign_test(z ~ rep(0, n), distribution = exact(), zero.method = m))
    tt <- num(t$statistic)
    pairs[[length(pairs) + 1]] <- list(
      a = order[i], b = order[j], difference = mean(x - y), ci95 = num(t$conf.int), t = tt,
      df = num(t$parameter), p = t$p.value, dz = mean(x - y) / sd(x - y),
      dz_ci95 = c(ncp_t(tt, n - 1, .975), ncp_t(tt, n - 1, .025)) / sqrt(n),
      dav = mean(x - y) / sqrt((var(x) + var(y)) / 2),
      wilcoxon_p = num(wil("Wilcoxon")), wilcoxon_p_pratt = num(wil("Pratt")),
      wilcoxon_exactRankTests = suppressWarnings(wilcox.exact(zz, exact = TRUE)$p.value),
      bf10 = num(extractBF(ttestBF(x, y, paired = TRUE))$bf))
    p <- c(p, t$p.value)
  }
  holm <- p.adjust(p, "holm"); for (i in seq_along(pairs)) pairs[[i]]$p_holm <- holm[i]
  out$pairwise <- pairs
  f <- friedman.test(round(w, 10))
  out$friedman <- list(chi2 = num(f$statistic), df = num(f$parameter), p = f$p.value,
                       w = num(f$statistic) / (nrow(w) * (ncol(w) - 1)))
  d$position <- factor(d$position); d$y <- d[[dv]]
  m0 <- lm(y ~ participant + cell, d); m1 <- lm(y ~ participant + cell + position, d)
  a <- anova(m0, m1); out$position <- list(F = a$F[2], df1 = a$Df[2], df2 = a$Res.Df[2], p = a$`Pr(>F)`[2])
  d <- d[order(d$participant, as.numeric(d$position)), ]
  d$previous <- ave(d$cell, d$participant, FUN = function(x) c("", head(x, -1)))
  m2 <- lm(y ~ participant + cell + position + previous, d); a <- anova(m1, m2)
  if (nrow(a) == 2 && !is.na(a$F[2]))
    out$previous <- list(F = a$F[2], df1 = a$Df[2], df2 = a$Res.Df[2], p = a$`Pr(>F)`[2])
  d$sequence <- ave(d$cell, d$participant, FUN = function(x) paste(x, collapse = ">"))
  if (all(table(unique(d[c("participant", "sequence")])$sequence) > 1)) {
    m <- suppressWarnings(suppressMessages(aov_ez("participant", "y", d, within = "cell",
                                                  between = "sequence", include_aov = FALSE)))
    tab <- anova(m, correction = "none")["sequence:cell", ]
    out$sequence_by_condition <- list(F = num(tab[["F"]]), df1 = num(tab[["num Df"]]),
                                      df2 = num(tab[["den Df"]]), p = num(tab[["Pr(>F)"]]))
  }
  if (name == "strong") {
    e <- suppressWarnings(eta_squared(aov(y ~ interface * sampling + Error(participant / (interface * sampling)), d),
                                      partial = TRUE, ci = .90, alternative = "two.sided"))
    out$effectsize_np2_ci90 <- lapply(1:3, function(i) c(e$CI_low[i], e$CI_high[i]))
  }
  out
}

half <- function(x, first) ifelse(x == first, .5, -.5)
best <- function(f, d) {
  fits <- lapply(c("bobyqa", "nloptwrap", "Nelder_Mead"), function(o)
    suppressWarnings(suppressMessages(lmer(f, d, control = lmerControl(optimizer = o,
      optCtrl = if (o == "nloptwrap") list(maxeval = 1e5, xtol_abs = 1e-10, ftol_abs = 1e-10) else list(maxfun = 1e5))))))
  fits[[which.min(sapply(fits, REMLcrit))]]
}
mixed <- function(f, d) {
  m <- best(f, d); b <- coef(summary(m))
  list(criterion = REMLcrit(m), estimate = num(b[, 1]), se = num(b[, 2]), t = num(b[, 3]),
       residual_sd = sigma(m), random_sd = num(attr(VarCorr(m)$participant, "stddev")))
}
likert <- function(q) {
  d <- read.csv(file.path(dir, "answers.csv")); d <- d[d$question == q, ]
  d$x <- half(d$interface, "polygon"); d$z <- half(d$sampling, "random"); d$xz <- d$x * d$z
  d$y <- factor(d$answer); d$participant <- factor(d$participant)
  fit <- function(f) clmm(f, data = d, nAGQ = 21, control = clmm.control(gradTol = 1e-8))
  full <- fit(y ~ x + z + xz + (1 | participant)); b <- coef(summary(full))
  lr <- function(f) { m <- fit(f); 2 * num(logLik(full) - logLik(m)) }
  laplace <- coef(summary(clmm(y ~ x + z + xz + (1 | participant), data = d)))
  list(estimate = num(tail(b[, 1], 3)), se = num(tail(b[, 2], 3)), p = num(tail(b[, 4], 3)),
       log_likelihood = num(logLik(full)), thresholds = num(full$alpha),
       participant_sd = num(attr(VarCorr(full)$participant, "stddev")),
       lr_chi2 = c(lr(y ~ z + xz + (1 | participant)), lr(y ~ x + xz + (1 | participant)),
                   lr(y ~ x + z + (1 | participant))),
       laplace_estimate = num(tail(laplace[, 1], 3)), laplace_se = num(tail(laplace[, 2], 3)))
}

ref <- list(
  versions = list(R = R.version.string, afex = as.character(packageVersion("afex")),
                  car = as.character(packageVersion("car")), coin = as.character(packageVersion("coin")),
                  exactRankTests = as.character(packageVersion("exactRankTests")),
                  lme4 = as.character(packageVersion("lme4")),
                  ordinal = as.character(packageVersion("ordinal")),
                  effectsize = as.character(packageVersion("effectsize")),
                  BayesFactor = as.character(packageVersion("BayesFactor")),
                  psych = as.character(packageVersion("psych"))),
  strong = analyse("strong", "seconds_per_image"), null = analyse("null", "seconds_per_image"),
  ties = analyse("ties", "accuracy_after"), uneven = analyse("uneven", "seconds_per_image"),
  two_by_three = analyse("two_by_three", "seconds_per_image"),
  one_factor = analyse("one_factor", "seconds_per_image"))
t <- read.csv(file.path(dir, "trials.csv")); t$y <- log(t$seconds)
t$x <- half(t$interface, "polygon"); t$z <- half(t$sampling, "random")
ref$mixed <- mixed(y ~ x * z + (x * z | participant), t)
ref$mixed_images <- mixed(y ~ x * z + (x * z | participant) + (1 | image), t)
ref$clmm <- list(strong = likert("strong"), null = likert("null"), skewed = likert("skewed"))
s <- read.csv(file.path(dir, "sus.csv"))
a <- suppressWarnings(psych::alpha(s, keys = paste0("S", c(2, 4, 6, 8, 10))))
ref$sus <- list(alpha = a$total$raw_alpha, feldt = num(unlist(a$feldt[c("lower.ci", "upper.ci")])))
x <- read.csv(file.path(dir, "ties.csv")); x$cell <- cell(x)
d <- x$accuracy_after[x$cell == "polygon-random"] - x$accuracy_after[x$cell == "click-random"]
lo <- t.test(d, mu = -.02, alternative = "greater"); hi <- t.test(d, mu = .02, alternative = "less")
ref$tost <- list(difference = mean(d), ci90 = num(t.test(d, conf.level = .9)$conf.int),
                 t_lower = num(lo$statistic), t_upper = num(hi$statistic), p = max(lo$p.value, hi$p.value))
ref$preference <- list(p = binom.test(12, 16)$p.value,
                       wilson = num(prop.test(12, 16, correct = FALSE)$conf.int))
ref$power <- list(power = power.t.test(n = 16, delta = .6, sd = 1, type = "paired", strict = TRUE)$power,
                  dz = power.t.test(n = 16, power = .8, sd = 1, type = "paired", strict = TRUE,
                                    tol = 1e-12)$delta)
write_json(ref, file.path(dir, "reference.json"), digits = I(17), auto_unbox = TRUE, pretty = TRUE, na = "null")
