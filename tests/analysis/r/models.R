# Further frozen numbers: Rscript tests/analysis/r/models.R, from the repository root.
# Debian 12: R 4.2.2, afex 1.2-1, lmerTest 3.1-3, ordinal 2022.11-16, emmeans 1.8.4; the versions
# that ran are in the file. reference.json and reference.R stay as they are.
suppressMessages({library(afex); library(lmerTest); library(ordinal); library(emmeans); library(jsonlite)})
dir <- "tests/analysis/data"
num <- function(x) unname(as.numeric(x))
version <- function(p) as.character(packageVersion(p))
ref <- list(versions = list(R = R.version.string, afex = version("afex"),
  lmerTest = version("lmerTest"), lme4 = version("lme4"), ordinal = version("ordinal"),
  emmeans = version("emmeans")))

# Mixed designs of unequal groups, type III (afex's default).
d <- read.csv(file.path(dir, "groups.csv")); d$who <- factor(d$who)
table_of <- function(within, between) {
  mean_of <- aggregate(d["y"], d[c("who", "group", within)], mean)
  a <- suppressMessages(suppressWarnings(aov_ez("who", "y", mean_of, within = within, between = between)))
  s <- suppressWarnings(summary(a))
  plain <- anova(a, correction = "none", es = c("pes", "ges"))
  out <- list()
  for (row in rownames(plain)) {
    one <- list(F = num(plain[row, "F"]), df1 = num(plain[row, "num Df"]), df2 = num(plain[row, "den Df"]),
                p = num(plain[row, "Pr(>F)"]), np2 = num(plain[row, "pes"]), ng2 = num(plain[row, "ges"]))
    if (!is.null(s$sphericity.tests) && row %in% rownames(s$sphericity.tests)) {
      v <- s$pval.adjustments; m <- s$sphericity.tests
      one <- c(one, list(eps_gg = num(v[row, "GG eps"]), p_gg = num(v[row, "Pr(>F[GG])"]),
        eps_hf_uncapped = num(v[row, "HF eps"]), p_hf = num(v[row, "Pr(>F[HF])"]),
        mauchly_w = num(m[row, "Test statistic"]), mauchly_p = num(m[row, "p-value"])))
    }
    out[[gsub(":", " * ", row)]] <- one
  }
  out
}
ref$groups <- list(one = table_of("tool", "group"), two = table_of(c("tool", "pick"), "group"),
                   three = table_of(c("tool", "pick", "load"), "group"),
                   three_within = table_of(c("tool", "pick", "load"), NULL))

# Simple effects of a 2x2 within design, unadjusted (emmeans, multivariate model).
e <- read.csv(file.path(dir, "strong.csv")); metric <- names(e)[ncol(e)]
a <- suppressMessages(aov_ez("participant", metric, e, within = c("interface", "sampling")))
s <- as.data.frame(pairs(emmeans(a, ~ interface | sampling, model = "multivariate")))
ref$simple <- lapply(seq_len(nrow(s)), function(i) list(contrast = as.character(s$contrast[i]),
  at = as.character(s$sampling[i]), estimate = s$estimate[i], df = s$df[i], t = s$t.ratio[i], p = s$p.value[i]))

# Satterthwaite degrees of freedom; the best of two optimizers.
t <- read.csv(file.path(dir, "trials.csv")); t$y <- log(t$seconds)
t$x <- ifelse(t$interface == "polygon", .5, -.5); t$z <- ifelse(t$sampling == "random", .5, -.5)
t$xz <- t$x * t$z
best <- function(formula, data) {
  fits <- lapply(c("nloptwrap", "bobyqa"), function(o) suppressMessages(suppressWarnings(
    lmer(formula, data, control = lmerControl(optimizer = o, calc.derivs = FALSE)))))
  fits[[which.min(sapply(fits, REMLcrit))]]
}
fitted_of <- function(m) {
  s <- coef(summary(m))
  list(criterion = num(REMLcrit(m)), names = rownames(s), estimate = num(s[, 1]), se = num(s[, 2]),
       df = num(s[, 3]), p = num(s[, 5]), sigma = num(sigma(m)))
}
ref$satterthwaite <- list(
  slopes = fitted_of(best(y ~ x + z + xz + (x + z + xz | participant), t)),
  images = fitted_of(best(y ~ x + z + xz + (x + z + xz | participant) + (1 | image), t)))
g <- d; g$t1 <- ifelse(g$tool == "a", .5, -.5)
g$p1 <- (g$pick == "r") - (g$pick == "t"); g$p2 <- (g$pick == "s") - (g$pick == "t")
g$g1 <- ifelse(g$group == "expert", .5, -.5); g$c <- g$practice - mean(g$practice)
m <- best(y ~ t1 + g1 + t1:g1 + c + (t1 | who), g); ref$satterthwaite$covariate <- fitted_of(m)
m <- best(y ~ p1 + p2 + (p1 + p2 | who), g); ref$satterthwaite$three_levels <- fitted_of(m)
g$pick <- factor(g$pick); contrasts(g$pick) <- contr.sum(3)
m <- best(y ~ pick + (p1 + p2 | who), g); f <- anova(m)
ref$satterthwaite$joint <- list(F = num(f[["F value"]]), df1 = num(f[["NumDF"]]), df = num(f[["DenDF"]]), p = num(f[["Pr(>F)"]]))

# Cumulative-link mixed models with a slope beside the intercept: R has Laplace's approximation.
q <- read.csv(file.path(dir, "answers.csv"))
ref$slopes <- list()
for (question in c("strong", "null", "skewed")) {
  k <- q[q$question == question, ]; k$y <- factor(k$answer); k$p <- factor(k$participant)
  k$x <- ifelse(k$interface == "polygon", .5, -.5); k$z <- ifelse(k$sampling == "random", .5, -.5); k$xz <- k$x * k$z
  m <- clmm(y ~ x + z + xz + (1 | p) + (0 + x | p), data = k)
  ref$slopes[[question]] <- list(log_likelihood = num(logLik(m)), thresholds = num(m$alpha), beta = num(m$beta),
    sd_intercept = num(sqrt(VarCorr(m)[[1]][1, 1])), sd_slope = num(sqrt(VarCorr(m)[[2]][1, 1])))
}
write_json(ref, file.path(dir, "models.json"), digits = I(17), auto_unbox = TRUE, pretty = TRUE, na = "null")
