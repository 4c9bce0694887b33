# Frozen numbers of groups of participants: Rscript tests/analysis/r/between.R, from the repository
# root. Debian 12: R 4.2.2, afex 1.2-1, emmeans 1.8.4, lmerTest 3.1-3, ordinal 2022.11-16.
suppressMessages({library(afex); library(emmeans); library(lmerTest); library(ordinal); library(jsonlite)})
dir <- "tests/analysis/data"
num <- function(x) unname(as.numeric(x))
version <- function(p) as.character(packageVersion(p))
ref <- list(versions = list(R = R.version.string, afex = version("afex"), emmeans = version("emmeans"),
  lmerTest = version("lmerTest"), ordinal = version("ordinal")))
options(contrasts = c("contr.sum", "contr.poly"))
d <- read.csv(file.path(dir, "between.csv"))
d$tool <- factor(d$tool, c("polygon", "click")); d$pick <- factor(d$pick, c("random", "active", "margin"))
d$cell <- interaction(d$tool, d$pick, sep = "-")

lines <- function(a) {
  t <- anova(a, correction = "none", es = c("pes", "ges"))
  setNames(lapply(rownames(t), function(r) list(F = num(t[r, "F"]), df1 = num(t[r, "num Df"]),
    df2 = num(t[r, "den Df"]), p = num(t[r, "Pr(>F)"]), np2 = num(t[r, "pes"]), ng2 = num(t[r, "ges"]))),
    gsub(":", " * ", rownames(t)))
}
two <- suppressMessages(aov_ez("who", "y", d, between = c("tool", "pick")))
ref$anova <- lines(two)
w <- oneway.test(y ~ cell, d, var.equal = FALSE)
ref$welch <- list(F = num(w$statistic), df1 = num(w$parameter[1]), df2 = num(w$parameter[2]), p = num(w$p.value))
t <- t.test(y ~ tool, d)
ref$welch_t <- list(difference = num(-diff(t$estimate)), t = num(t$statistic), df = num(t$parameter),
  p = num(t$p.value), ci = num(t$conf.int))
# Cohen's d of pooled SD, its interval by the noncentral t.
e <- t.test(y ~ tool, d, var.equal = TRUE); n <- table(d$tool); s <- sqrt(1 / n[1] + 1 / n[2])
root <- function(q) uniroot(function(x) pt(num(e$statistic), num(e$parameter), x) - q, c(-15, 15), tol = 1e-12)$root
ref$welch_t$d <- num(e$statistic * s); ref$welch_t$d_ci <- num(c(root(.975), root(.025)) * s)
# The effect of tool over the cells, each with its own variance (Welch and Satterthwaite).
m <- tapply(d$y, d$cell, mean); v <- tapply(d$y, d$cell, var) / tapply(d$y, d$cell, length)
k <- ifelse(grepl("polygon", names(m)), 1, -1) / 3
df <- sum(k^2 * v)^2 / sum((k^2 * v)^2 / (tapply(d$y, d$cell, length) - 1))
ref$contrast <- list(estimate = num(sum(k * m)), t = num(sum(k * m) / sqrt(sum(k^2 * v))), df = num(df),
  p = num(2 * pt(-abs(sum(k * m) / sqrt(sum(k^2 * v))), df)))
pairs <- combn(levels(d$cell), 2)
tests <- apply(pairs, 2, function(p) t.test(d$y[d$cell == p[1]], d$y[d$cell == p[2]]), simplify = FALSE)
ref$pairwise <- lapply(seq_along(tests), function(i) list(a = pairs[1, i], b = pairs[2, i],
  difference = num(-diff(tests[[i]]$estimate)), t = num(tests[[i]]$statistic), df = num(tests[[i]]$parameter),
  p = num(tests[[i]]$p.value), p_holm = num(p.adjust(sapply(tests, function(x) x$p.value), "holm")[i]),
  ci = num(tests[[i]]$conf.int)))
one <- d[d$pick == "random", ]
x <- one$y[one$tool == "polygon"]; z <- one$y[one$tool == "click"]
u <- wilcox.test(x, z, exact = TRUE)
ref$mann_whitney <- list(u = num(u$statistic), p = num(u$p.value))
kw <- kruskal.test(answer ~ cell, d)
ref$kruskal <- list(chi2 = num(kw$statistic), df = num(kw$parameter), p = num(kw$p.value))
margin <- 1.5
up <- t.test(y ~ tool, d, mu = margin, alternative = "less"); lo <- t.test(y ~ tool, d, mu = -margin, alternative = "greater")
ref$tost <- list(t_lower = num(lo$statistic), t_upper = num(up$statistic), p = max(num(lo$p.value), num(up$p.value)),
  ci = num(t.test(y ~ tool, d, conf.level = .9)$conf.int))

# Proportional odds without random effects.
half <- function(f) ifelse(f == levels(f)[1], .5, -.5)
d$x <- half(d$tool); d$ordered <- factor(d$answer, ordered = TRUE)
C <- contr.sum(3); d$p1 <- C[as.integer(d$pick), 1]; d$p2 <- C[as.integer(d$pick), 2]
full <- clm(ordered ~ x + p1 + p2 + x:p1 + x:p2, data = d)
drop1 <- function(f) {g <- clm(f, data = d); num(2 * (logLik(full) - logLik(g)))}
ref$clm <- list(log_likelihood = num(logLik(full)), thresholds = num(full$alpha), coefficients = num(full$beta),
  se = num(sqrt(diag(vcov(full)))[names(full$beta)]),
  lr = list(tool = drop1(ordered ~ p1 + p2 + x:p1 + x:p2), pick = drop1(ordered ~ x + x:p1 + x:p2),
            both = drop1(ordered ~ x + p1 + p2)))

# Trials of groups only, with images: no slopes within participants.
g <- read.csv(file.path(dir, "between_trials.csv"))
g$tool <- factor(g$tool, c("polygon", "click")); g$x <- half(g$tool)
f <- lmer(y ~ x + (1 | who) + (1 | image), g, control = lmerControl(optCtrl = list(ftol_abs = 1e-12, xtol_abs = 1e-12)))
s <- coef(summary(f)); sd <- as.data.frame(VarCorr(f))
ref$mixed <- list(criterion = num(REMLcrit(f)), estimate = s["x", 1], se = s["x", 2], df = s["x", 3], t = s["x", 4],
  p = s["x", 5], sd = setNames(as.list(sd$sdcor), sd$grp))

# A mixed design: effects of one degree of freedom, groups of unequal size weighing the same.
h <- read.csv(file.path(dir, "groups.csv")); h <- aggregate(y ~ who + group + tool + pick, h, mean)
h$pick2 <- h$pick; keep <- unique(h$group)[1:2]; h <- h[h$group %in% keep & h$pick %in% unique(h$pick)[1:2], ]
a <- suppressMessages(aov_ez("who", "y", h, within = c("tool", "pick"), between = "group"))
ref$mixed_design <- list(groups = keep, tools = unique(h$tool), picks = unique(h$pick), lines = lines(a),
  estimates = lapply(list(group = "group", tool = "tool", pick = "pick", `group * tool` = c("group", "tool"),
    `group * tool * pick` = c("group", "tool", "pick")), function(set) {
    t <- summary(contrast(emmeans(a, set), interaction = rep("pairwise", length(set))))
    list(estimate = t$estimate, t = t$t.ratio, df = t$df, p = t$p.value)}))
write(toJSON(ref, digits = 17, auto_unbox = TRUE, pretty = TRUE), file.path(dir, "between.json"))
